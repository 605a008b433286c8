using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>A run of scaling and the worker that it runs on, spoken to as any client would. Disposing stops both.</summary>
internal sealed class ScaleRun : IAsyncDisposable
{
    private readonly RunbookServer server;
    private readonly string queue = "queue-" + Guid.NewGuid();
    private TemporalWorker worker = null!;
    private CancellationTokenSource stop = null!;
    private Task working = null!;

    private ScaleRun(RunbookServer server, FakeScaling world)
    {
        (this.server, World) = (server, world);
        StartWorker();
    }

    public WorkflowHandle Handle { get; private set; } = null!;

    public FakeScaling World { get; }

    public static Task<ScaleRun> StartAsync(RunbookServer server, FakeScaling world, ScaleComponentInput input, string? environment = null)
    {
        environment ??= $"e-{Guid.NewGuid():N}";
        return StartAsync(server, world, ScaleComponent.WorkflowId(environment, "web", "us-east-1"),
            input with { Environment = environment, Component = "web", Region = "us-east-1", Reason = input.Reason ?? "the sale", OperationId = "op-recorded" });
    }

    public static Task<ScaleRun> AutoscaleAsync(RunbookServer server, FakeScaling world, AutoscaleInput? input = null, string? environment = null)
    {
        environment ??= $"e-{Guid.NewGuid():N}";
        return StartAsync(server, world, Autoscale.WorkflowId(environment), (input ?? new()) with { Environment = environment }, nameof(Autoscale));
    }

    public static Task<ScaleRun> RollOutAsync(RunbookServer server, FakeScaling world, RolloutWorkersInput? input = null, string? environment = null)
    {
        environment ??= $"e-{Guid.NewGuid():N}";
        return StartAsync(server, world, RolloutWorkers.WorkflowId(environment, "web", "us-east-1"),
            (input ?? new()) with { Environment = environment, Component = "web", Region = "us-east-1", BuildId = "2", OperationId = "op-recorded", StepFor = input?.StepFor ?? "10m" }, nameof(RolloutWorkers));
    }

    public static async Task<ScaleRun> StartAsync(RunbookServer server, FakeScaling world, string id, object input, string type = nameof(ScaleComponent))
    {
        var run = new ScaleRun(server, world);
        run.Handle = await server.Client.StartWorkflowAsync(type, [input], new(id, run.queue));
        return run;
    }

    public Task<ScaleReport> ReportAsync() => Handle.GetResultAsync<ScaleReport>().WaitAsync(Wait.Patience);

    public Task<RolloutReport> RolloutAsync() => Handle.GetResultAsync<RolloutReport>().WaitAsync(Wait.Patience);

    public Task<AutoscaleDecisions> DecisionsAsync() => Handle.QueryAsync<AutoscaleDecisions>("decisions", []);

    public Task<AutoscaleDecisions> UntilDecidedAsync(Func<AutoscaleDecisions, bool> seen) => Wait.UntilAsync(
        DecisionsAsync, seen, decisions => string.Join("; ", decisions.Latest.Select(decision => decision.Why)));

    /// <summary>Why a control is refused.</summary>
    public async Task<string> RefusalAsync(string control, object input) =>
        Assert.IsType<ApplicationFailureException>((await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => TellAsync(control, input))).InnerException).Message;

    /// <summary>Ends an autoscaler.</summary>
    public async Task<AutoscaleReport> StopAsync()
    {
        await TellAsync("stop", new AbortInput("the end of the test"));
        return await Handle.GetResultAsync<AutoscaleReport>().WaitAsync(Wait.Patience);
    }

    public async Task<string> FailureAsync() => (await Assert.ThrowsAsync<WorkflowFailedException>(ReportAsync)).InnerException!.Message;

    public Task<RunbookStatus> StatusAsync() => Handle.QueryAsync<RunbookStatus>("status", []);

    public Task<RunbookStatus> UntilAsync(Func<RunbookStatus, bool> seen) => Wait.UntilAsync(StatusAsync, seen, status => $"{status.Phase}: {status.Summary}");

    public Task TellAsync(string control, object input) => Handle.ExecuteUpdateAsync<ControlResult>(control, [input]).WaitAsync(Wait.Patience);

    public async Task StopWorkerAsync()
    {
        await stop.CancelAsync();
        await working.ContinueWith(_ => { }, TaskScheduler.Default);
        worker.Dispose();
        stop.Dispose();
    }

    public void StartWorker()
    {
        worker = server.CreateWorker(new FakeWorld(Plans.Chain), queue, scaling: World);
        stop = new();
        working = worker.ExecuteAsync(stop.Token);
    }

    public async ValueTask DisposeAsync() => await StopWorkerAsync();
}
