using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>A worker that runs until it is disposed.</summary>
public sealed class RunningWorker : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly TemporalWorker worker;
    private readonly Task running;

    public RunningWorker(ITemporalClient client, TemporalWorkerOptions options)
    {
        worker = new TemporalWorker(client, options);
        running = worker.ExecuteAsync(stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            // Asked to.
        }
        worker.Dispose();
        stop.Dispose();
    }
}
