using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>A run of <c>ProvisionEnvironment</c> and the worker that it runs on; disposing stops both.</summary>
internal sealed class ProvisioningRun : IAsyncDisposable
{
    private TemporalWorker worker;
    private CancellationTokenSource stop = new();
    private Task working;

    public ProvisioningRun(TemporalWorker worker, WorkflowHandle<ProvisionEnvironment, ProvisioningReport> handle, FakeWorld world, string environment)
    {
        this.worker = worker;
        Handle = handle;
        World = world;
        Environment = environment;
        working = worker.ExecuteAsync(stop.Token);
    }

    public WorkflowHandle<ProvisionEnvironment, ProvisioningReport> Handle { get; }

    public FakeWorld World { get; }

    public string Environment { get; }

    public Task<ProvisioningReport> ReportAsync() => Handle.GetResultAsync().WaitAsync(Wait.Patience);

    public Task<RunbookStatus> StatusAsync() => Handle.QueryAsync(workflow => workflow.Status()).WaitAsync(Wait.Patience);

    public Task<RunbookStatus> UntilAsync(RunbookPhase phase) => UntilAsync(status => status.Phase == phase);

    public Task<RunbookStatus> UntilAsync(Func<RunbookStatus, bool> wanted) => Wait.UntilAsync(StatusAsync, wanted, Describe);

    public Task<RunbookStatus> UntilAsync(string component, StepState state) =>
        UntilAsync(status => status.Steps.Any(step => step.Name == Plans.Step(component) && step.State == state));

    public Task ApproveAsync(string? planHash, string? approvedBy = null) =>
        Handle.ExecuteUpdateAsync(workflow => workflow.ApproveAsync(new ApproveInput(planHash, approvedBy, null))).WaitAsync(Wait.Patience);

    public Task RejectAsync(string? reason, string? rejectedBy = null) =>
        Handle.ExecuteUpdateAsync(workflow => workflow.RejectAsync(new RejectInput(reason, rejectedBy))).WaitAsync(Wait.Patience);

    public Task AbortAsync(string? reason = "changed our minds") =>
        Handle.ExecuteUpdateAsync(workflow => workflow.AbortAsync(new AbortInput(reason))).WaitAsync(Wait.Patience);

    public Task RetryAsync(string component) =>
        Handle.ExecuteUpdateAsync(workflow => workflow.RetryStepAsync(new StepInput(Plans.Step(component), null))).WaitAsync(Wait.Patience);

    public Task SkipAsync(string component, string? reason = "not needed today") =>
        Handle.ExecuteUpdateAsync(workflow => workflow.SkipStepAsync(new StepInput(Plans.Step(component), reason))).WaitAsync(Wait.Patience);

    /// <summary>The failure that a refused control is answered with.</summary>
    public static async Task<ApplicationFailureException> RefusalAsync(Func<Task> control)
    {
        var refused = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(control);
        return Assert.IsType<ApplicationFailureException>(refused.InnerException);
    }

    /// <summary>Stops the worker; another one, which knows nothing of the run, takes over its task queue.</summary>
    public async Task ReplaceWorkerAsync(RunbookServer server)
    {
        var taskQueue = worker.Options.TaskQueue;
        await DisposeAsync();
        (worker, stop) = (server.CreateWorker(World, taskQueue), new());
        working = worker.ExecuteAsync(stop.Token);
    }

    /// <summary>The failure that the run ends with.</summary>
    public async Task<ApplicationFailureException> FailureAsync()
    {
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(ReportAsync);
        return Assert.IsType<ApplicationFailureException>(failed.InnerException);
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

    private static string Describe(RunbookStatus status) =>
        $"{status.Phase}: {status.Summary} {string.Join("; ", status.Steps.Select(step => $"{step.Name} {step.State}: {step.Detail}"))}";
}
