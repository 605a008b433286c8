using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.PlatformWorkflows.Tests.Certificates;

/// <summary>A rotation of certificates and the worker that it runs on, spoken to as any client would. Disposing stops both.</summary>
internal sealed class CertificateRun : IAsyncDisposable
{
    private readonly TemporalWorker worker;
    private readonly CancellationTokenSource stop = new();
    private readonly Task working;

    private CertificateRun(TemporalWorker worker, WorkflowHandle handle, FakeCertificates certificates)
    {
        (this.worker, Handle, Certificates) = (worker, handle, certificates);
        working = worker.ExecuteAsync(stop.Token);
    }

    public WorkflowHandle Handle { get; }

    public FakeCertificates Certificates { get; }

    public static Task<CertificateRun> StartAsync(RunbookServer server, FakeCertificates certificates, string? environment = null, RotateCertificateInput? input = null)
    {
        environment ??= $"e-{Guid.NewGuid():N}";
        return StartAsync(server, certificates, nameof(RotateCertificate), RotateCertificate.WorkflowId(environment, "shop", "us-east-1"),
            (input ?? new()) with { Environment = environment, Certificate = "shop", Region = "us-east-1", OperationId = "op-recorded" });
    }

    public static Task<CertificateRun> StartAuthorityAsync(RunbookServer server, FakeCertificates certificates, string? environment = null, string proveWithin = "10s")
    {
        environment ??= $"e-{Guid.NewGuid():N}";
        return StartAsync(
            server, certificates, nameof(RotateCertificateAuthority), RotateCertificateAuthority.WorkflowId(environment, "internal", "us-east-1"),
            new RotateCertificateAuthorityInput { Environment = environment, Authority = "internal", Region = "us-east-1", OperationId = "op-recorded", ProveWithin = proveWithin });
    }

    public static Task<CertificateRun> StartTogetherAsync(RunbookServer server, FakeCertificates certificates, string? environment = null, RotateCertificatesInput? input = null)
    {
        environment ??= $"e-{Guid.NewGuid():N}";
        return StartAsync(server, certificates, nameof(RotateCertificates), RotateCertificates.WorkflowId(environment), (input ?? new()) with { Environment = environment, OperationId = "op-recorded" });
    }

    public static async Task<CertificateRun> StartAsync(RunbookServer server, FakeCertificates certificates, string type, string id, object input)
    {
        var worker = server.CreateWorker(new FakeWorld(Plans.Chain), certificates: certificates);
        return new(worker, await server.Client.StartWorkflowAsync(type, [input], new(id, worker.Options.TaskQueue!)), certificates);
    }

    public Task<RotateCertificateReport> ReportAsync() => Handle.GetResultAsync<RotateCertificateReport>().WaitAsync(Wait.Patience);

    public Task<RotateCertificatesReport> TogetherAsync() => Handle.GetResultAsync<RotateCertificatesReport>().WaitAsync(Wait.Patience);

    public Task<RotateCertificateAuthorityReport> AuthorityAsync() => Handle.GetResultAsync<RotateCertificateAuthorityReport>().WaitAsync(Wait.Patience);

    /// <summary>Why it failed.</summary>
    public async Task<string> FailureAsync() => (await Assert.ThrowsAsync<WorkflowFailedException>(ReportAsync)).InnerException!.Message;

    public Task<RunbookStatus> UntilAsync(RunbookPhase phase) => Wait.UntilAsync(
        () => Handle.QueryAsync<RunbookStatus>("status", []), status => status.Phase == phase, status => $"{status.Phase}: {status.Summary}");

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
