using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.PlatformWorkflows.Tests.Secrets;

/// <summary>A rotation and the worker that it runs on, spoken to as any client would. Disposing stops both.</summary>
internal sealed class SecretRun : IAsyncDisposable
{
    private readonly TemporalWorker worker;
    private readonly CancellationTokenSource stop = new();
    private readonly Task working;

    private SecretRun(TemporalWorker worker, WorkflowHandle handle, FakeSecrets secrets)
    {
        (this.worker, Handle, Secrets) = (worker, handle, secrets);
        working = worker.ExecuteAsync(stop.Token);
    }

    public WorkflowHandle Handle { get; }

    public FakeSecrets Secrets { get; }

    public static Task<SecretRun> StartAsync(RunbookServer server, FakeSecrets secrets, string? environment = null, RotateSecretInput? input = null)
    {
        environment ??= $"e-{Guid.NewGuid():N}";
        return StartAsync(server, secrets, nameof(RotateSecret), RotateSecret.WorkflowId(environment, "shop", "us-east-1"),
            (input ?? new()) with { Environment = environment, Secret = "shop", Region = "us-east-1", OperationId = "op-recorded" });
    }

    public static Task<SecretRun> StartTogetherAsync(RunbookServer server, FakeSecrets secrets, string? environment = null, RotateSecretsInput? input = null)
    {
        environment ??= $"e-{Guid.NewGuid():N}";
        return StartAsync(server, secrets, nameof(RotateSecrets), RotateSecrets.WorkflowId(environment), (input ?? new()) with { Environment = environment, OperationId = "op-recorded" });
    }

    public static async Task<SecretRun> StartAsync(RunbookServer server, FakeSecrets secrets, string type, string id, object input)
    {
        var worker = server.CreateWorker(new FakeWorld(Plans.Chain), secrets: secrets);
        return new(worker, await server.Client.StartWorkflowAsync(type, [input], new(id, worker.Options.TaskQueue!)), secrets);
    }

    public Task<RotateSecretReport> ReportAsync() => Handle.GetResultAsync<RotateSecretReport>().WaitAsync(Wait.Patience);

    public Task<RotateSecretsReport> TogetherAsync() => Handle.GetResultAsync<RotateSecretsReport>().WaitAsync(Wait.Patience);

    /// <summary>Why it failed.</summary>
    public async Task<string> FailureAsync() => (await Assert.ThrowsAsync<WorkflowFailedException>(ReportAsync)).InnerException!.Message;

    public Task<RunbookStatus> UntilAsync(RunbookPhase phase) => UntilAsync(status => status.Phase == phase);

    public Task<RunbookStatus> UntilAsync(Func<RunbookStatus, bool> wanted) => Wait.UntilAsync(
        () => Handle.QueryAsync<RunbookStatus>("status", []), wanted, status => $"{status.Phase}: {status.Summary}");

    public Task TellAsync(string control, object input) => Handle.ExecuteUpdateAsync<ControlResult>(control, [input]).WaitAsync(Wait.Patience);

    /// <summary>Why a control is refused.</summary>
    public async Task<string> RefusalAsync(string control, object input) =>
        Assert.IsType<ApplicationFailureException>((await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => TellAsync(control, input))).InnerException).Message;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await working.ContinueWith(_ => { }, TaskScheduler.Default);
        worker.Dispose();
        stop.Dispose();
    }
}
