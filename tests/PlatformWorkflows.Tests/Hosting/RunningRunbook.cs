using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.PlatformWorkflows.Tests.Hosting;

/// <summary>A run of any runbook and the worker that it runs on, spoken to as any client would: by names and JSON. Disposing stops both.</summary>
internal sealed class RunningRunbook<TReport> : IAsyncDisposable
{
    private readonly TemporalWorker worker;
    private readonly CancellationTokenSource stop = new();
    private readonly Task working;

    private RunningRunbook(TemporalWorker worker, WorkflowHandle handle, FakeWorld world)
    {
        (this.worker, Handle, World) = (worker, handle, world);
        working = worker.ExecuteAsync(stop.Token);
    }

    public WorkflowHandle Handle { get; }

    public FakeWorld World { get; }

    /// <param name="backups">Null: the worker backs nothing up.</param>
    public static async Task<RunningRunbook<TReport>> StartAsync(RunbookServer server, FakeWorld world, string type, string workflowId, object input, IBackupActivities? backups = null)
    {
        var worker = server.CreateWorker(world, backups: backups);
        var handle = await server.Client.StartWorkflowAsync(type, [input], new(workflowId, worker.Options.TaskQueue!));
        return new(worker, handle, world);
    }

    public Task<TReport> ReportAsync() => Handle.GetResultAsync<TReport>().WaitAsync(Wait.Patience);

    public Task<RunbookStatus> StatusAsync() => QueryAsync<RunbookStatus>("status");

    public Task<T> QueryAsync<T>(string name) => Handle.QueryAsync<T>(name, []).WaitAsync(Wait.Patience);

    public Task<RunbookStatus> UntilAsync(RunbookPhase phase) => Wait.UntilAsync(StatusAsync, status => status.Phase == phase, status => $"{status.Phase}: {status.Summary}");

    public Task TellAsync(string control, object input) => Handle.ExecuteUpdateAsync<ControlResult>(control, [input]).WaitAsync(Wait.Patience);

    /// <summary>Approves the plan that the run waits with.</summary>
    public async Task ApproveAsync() => await TellAsync("approve", new ApproveInput((await UntilAsync(RunbookPhase.AwaitingApproval)).PlanHash, "ada"));

    /// <summary>Why it failed.</summary>
    public async Task<string> FailureAsync() => (await Assert.ThrowsAsync<WorkflowFailedException>(ReportAsync)).InnerException!.Message;

    /// <summary>Waits for its end, whatever that is.</summary>
    public async Task EndedAsync()
    {
        try
        {
            await ReportAsync();
        }
        catch (WorkflowFailedException)
        {
            // An end too.
        }
    }

    /// <summary>Why a control is refused.</summary>
    public async Task<string> RefusalAsync(string control, object input)
    {
        var refused = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => TellAsync(control, input));
        return Assert.IsType<ApplicationFailureException>(refused.InnerException).Message;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        try
        {
            await working;
        }
        catch (OperationCanceledException)
        {
            // It was asked to.
        }
        worker.Dispose();
        stop.Dispose();
    }
}
