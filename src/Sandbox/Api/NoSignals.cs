using Microsoft.Extensions.Hosting;

namespace PlatformOps.Sandbox.Api;

/// <summary>A server inside somebody's process leaves Ctrl-C and termination to that process.</summary>
internal sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
