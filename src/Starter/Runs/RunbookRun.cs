using System.Text.Json;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Runs;

/// <summary>One run of a runbook, seen from outside: start it, ask it, steer it.</summary>
internal sealed class RunbookRun
{
    private RunbookRun(ITemporalClient client, string environment, WorkflowHandle handle)
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

    /// <summary>How commands about runs name this one: the environment, and the run when it is not the provisioning.</summary>
    public string Named => Handle.Id == ProvisionEnvironment.WorkflowId(Environment) ? Environment : $"{Environment} --run {Handle.Id}";

    /// <summary>Starts a provisioning run, or joins the one that is open.</summary>
    public static Task<RunbookRun> StartAsync(ITemporalClient client, ProvisionEnvironmentInput input, string taskQueue, CancellationToken ct) =>
        StartAsync(client, nameof(ProvisionEnvironment), ProvisionEnvironment.WorkflowId(input.Environment!), input.Environment!, input, taskQueue, ct);

    /// <summary>Starts a run of any runbook, or joins the one that is open.</summary>
    /// <param name="workflowId">It is the lock: one run at a time.</param>
    public static async Task<RunbookRun> StartAsync(
        ITemporalClient client, string type, string workflowId, string environment, object input, string taskQueue, CancellationToken ct)
    {
        var options = new WorkflowOptions(workflowId, taskQueue)
        {
            IdReusePolicy = WorkflowIdReusePolicy.AllowDuplicate,
            TaskTimeout = type == nameof(RegionFailover) ? RegionFailover.TaskTimeout : null,
            Rpc = new RpcOptions { CancellationToken = ct },
        };
        await BootstrapGate.RequireActiveAsync(client, ct);
        try
        {
            var started = await client.StartWorkflowAsync(type, [input], options);
            return new RunbookRun(client, environment, Latest(client, started.Id, started.ResultRunId)) { Joined = false };
        }
        catch (WorkflowAlreadyStartedException open)
        {
            return new RunbookRun(client, environment, Latest(client, open.WorkflowId, open.RunId)) { Joined = true };
        }
    }

    /// <summary>Starts a read-only run of the same code. It has an id of its own, so that it can look while another one acts.</summary>
    public static async Task<RunbookRun> StartPlanAsync(
        ITemporalClient client, ProvisionEnvironmentInput input, string taskQueue, CancellationToken ct)
    {
        var options = new WorkflowOptions($"plan/{input.Environment}/{Guid.NewGuid():N}", taskQueue)
        {
            Rpc = new RpcOptions { CancellationToken = ct },
        };
        await BootstrapGate.RequireActiveAsync(client, ct);
        var handle = await client.StartWorkflowAsync(nameof(ProvisionEnvironment), [input with { Mode = RunbookMode.Plan }], options);
        return new RunbookRun(client, input.Environment!, handle);
    }

    /// <summary>The latest run of a workflow id, open or closed.</summary>
    /// <param name="workflowId">Null: of the provisioning of the environment.</param>
    /// <exception cref="CommandFailure">There has never been one.</exception>
    public static async Task<RunbookRun> FindAsync(ITemporalClient client, string environment, CancellationToken ct, string? workflowId = null)
    {
        var id = workflowId ?? ProvisionEnvironment.WorkflowId(environment);
        try
        {
            var description = await client.GetWorkflowHandle(id).DescribeAsync(new WorkflowDescribeOptions { Rpc = new RpcOptions { CancellationToken = ct } });
            return new RunbookRun(client, environment, client.GetWorkflowHandle(id, description.RunId));
        }
        catch (RpcException missing) when (missing.Code == RpcException.StatusCode.NotFound)
        {
            throw new CommandFailure(
                ExitCode.NotFound,
                workflowId is null ? $"There is no provisioning run of \"{environment}\"." : $"There is no run {workflowId}.",
                $"No workflow with the id {id} exists in the namespace {client.Options.Namespace} of {client.Connection.Options.TargetHost}.",
                workflowId is null ? $"platformops provision {environment}" : $"temporal workflow list --query \"Environment = '{environment}'\"",
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
    public async Task<ProvisioningPlan?> PlanAsync(RunReport? report, CancellationToken ct) =>
        report?.Plan ?? await QueryAsync<ProvisioningPlan?>("plan", ct);

    /// <summary>The answer of another query of the runbook; needs a worker.</summary>
    public Task<T> QueryAsync<T>(string query, CancellationToken ct) =>
        Handle.QueryAsync<T>(query, [], new WorkflowQueryOptions { Rpc = new RpcOptions { CancellationToken = ct } });

    /// <summary>The report of a run that has ended well enough to write one.</summary>
    public async Task<RunReport> ReportAsync(CancellationToken ct) =>
        RunReport.Read(await Handle.GetResultAsync<JsonElement>(rpcOptions: new RpcOptions { CancellationToken = ct }));

    /// <summary>Sends a control (<c>approve</c>, <c>reject</c>, <c>abort</c>, <c>retryStep</c>, <c>skipStep</c>, or one of the runbook's own) and waits for its answer.</summary>
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
                $"platformops status {Named}",
                refused);
        }
        catch (RpcException ended) when (ended.Code == RpcException.StatusCode.NotFound)
        {
            throw new CommandFailure(
                ExitCode.NotFound,
                $"{Handle.Id} takes no `{control}`: it has ended.",
                ended.Message,
                $"platformops status {Named}",
                ended);
        }
    }

    /// <summary>The handle stays on one run, so that a later run of the same id is not mistaken for it.</summary>
    private static WorkflowHandle Latest(ITemporalClient client, string id, string? runId) =>
        client.GetWorkflowHandle(id, runId);
}
