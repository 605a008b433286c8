using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Runs;

/// <summary>One run of <c>ProvisionEnvironment</c>, seen from outside: start it, ask it, steer it.</summary>
internal sealed class ProvisioningRun
{
    public const string WorkflowType = nameof(ProvisionEnvironment);

    private ProvisioningRun(ITemporalClient client, string environment, WorkflowHandle handle)
    {
        Client = client;
        Environment = environment;
        Handle = handle;
    }

    public ITemporalClient Client { get; }

    public string Environment { get; }

    public WorkflowHandle Handle { get; }

    /// <summary>True when the run was open already and was joined rather than started.</summary>
    public bool Joined { get; private init; }

    /// <summary>The workflow id is the lock: one provisioning run per environment.</summary>
    public static string IdOf(string environment) => ProvisionEnvironment.WorkflowId(environment);

    /// <summary>Starts a run, or joins the one that is open.</summary>
    public static async Task<ProvisioningRun> StartAsync(
        ITemporalClient client, ProvisionEnvironmentInput input, string taskQueue, CancellationToken ct)
    {
        var environment = input.Environment!;
        var options = new WorkflowOptions(IdOf(environment), taskQueue)
        {
            IdReusePolicy = WorkflowIdReusePolicy.AllowDuplicate,
            Rpc = new RpcOptions { CancellationToken = ct },
        };
        try
        {
            var started = await client.StartWorkflowAsync(WorkflowType, [input], options);
            return new ProvisioningRun(client, environment, Latest(client, started.Id, started.ResultRunId)) { Joined = false };
        }
        catch (WorkflowAlreadyStartedException open)
        {
            return new ProvisioningRun(client, environment, Latest(client, open.WorkflowId, open.RunId)) { Joined = true };
        }
    }

    /// <summary>Starts a read-only run of the same code. It has an id of its own, so that it can look while another one acts.</summary>
    public static async Task<ProvisioningRun> StartPlanAsync(
        ITemporalClient client, ProvisionEnvironmentInput input, string taskQueue, CancellationToken ct)
    {
        var options = new WorkflowOptions($"plan/{input.Environment}/{Guid.NewGuid():N}", taskQueue)
        {
            Rpc = new RpcOptions { CancellationToken = ct },
        };
        var handle = await client.StartWorkflowAsync(WorkflowType, [input with { Mode = RunbookMode.Plan }], options);
        return new ProvisioningRun(client, input.Environment!, handle);
    }

    /// <summary>The latest run of an environment, open or closed.</summary>
    /// <exception cref="CommandFailure">There has never been one.</exception>
    public static async Task<ProvisioningRun> FindAsync(ITemporalClient client, string environment, CancellationToken ct)
    {
        var id = IdOf(environment);
        try
        {
            var description = await client.GetWorkflowHandle(id).DescribeAsync(new WorkflowDescribeOptions { Rpc = new RpcOptions { CancellationToken = ct } });
            return new ProvisioningRun(client, environment, client.GetWorkflowHandle(id, description.RunId));
        }
        catch (RpcException missing) when (missing.Code == RpcException.StatusCode.NotFound)
        {
            throw new CommandFailure(
                ExitCode.NotFound,
                $"There is no provisioning run of \"{environment}\".",
                $"No workflow with the id {id} exists in the namespace {client.Options.Namespace} of {client.Connection.Options.TargetHost}.",
                $"platformops provision {environment}",
                missing);
        }
    }

    /// <summary>Whether the run is open or how it ended.</summary>
    public async Task<WorkflowExecutionDescription> DescribeAsync(CancellationToken ct) =>
        await Handle.DescribeAsync(new WorkflowDescribeOptions { Rpc = new RpcOptions { CancellationToken = ct } });

    /// <summary>The answer of the query <c>status</c>; needs a worker.</summary>
    public Task<RunbookStatus> StatusAsync(CancellationToken ct) =>
        Handle.QueryAsync<RunbookStatus>("status", [], new WorkflowQueryOptions
        {
            // One try, cut short: with no worker the answer would never come, and whoever asks in a loop wants to say so soon.
            Rpc = new RpcOptions { CancellationToken = ct, Timeout = TimeSpan.FromSeconds(5), Retry = false },
        });

    /// <summary>The plan of a run; null when it has none. Needs a worker when the report does not hold it.</summary>
    public async Task<ProvisioningPlan?> PlanAsync(ProvisioningReport? report, CancellationToken ct) =>
        report?.Plan ?? await Handle.QueryAsync<ProvisioningPlan?>("plan", [], new WorkflowQueryOptions { Rpc = new RpcOptions { CancellationToken = ct } });

    /// <summary>The report of a run that has ended well enough to write one.</summary>
    public Task<ProvisioningReport> ReportAsync(CancellationToken ct) =>
        Handle.GetResultAsync<ProvisioningReport>(rpcOptions: new RpcOptions { CancellationToken = ct });

    /// <summary>Sends a control (<c>approve</c>, <c>reject</c>, <c>abort</c>, <c>retryStep</c>, <c>skipStep</c>) and waits for its answer.</summary>
    /// <exception cref="CommandFailure">The run refused it, or has ended.</exception>
    public async Task<ControlResult> SendAsync(string control, object input, CancellationToken ct)
    {
        try
        {
            return await Handle.ExecuteUpdateAsync<ControlResult>(
                control, [input], new WorkflowUpdateOptions { Rpc = new RpcOptions { CancellationToken = ct } });
        }
        catch (WorkflowUpdateFailedException refused)
        {
            throw new CommandFailure(
                ExitCode.Refused,
                $"{Handle.Id} did not accept `{control}`.",
                refused.InnerException?.Message ?? refused.Message,
                $"platformops status {Environment}",
                refused);
        }
        catch (RpcException ended) when (ended.Code == RpcException.StatusCode.NotFound)
        {
            throw new CommandFailure(
                ExitCode.NotFound,
                $"{Handle.Id} takes no `{control}`: it has ended.",
                ended.Message,
                $"platformops status {Environment}",
                ended);
        }
    }

    /// <summary>The handle stays on one run, so that a later run of the same id is not mistaken for it.</summary>
    private static WorkflowHandle Latest(ITemporalClient client, string id, string? runId) =>
        client.GetWorkflowHandle(id, runId);
}
