using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Waits for conditions that a server reaches in its own time.</summary>
internal static class Wait
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var giveUp = new CancellationTokenSource(Patience);
        while (!await condition())
            await Task.Delay(20, giveUp.Token);
    }

    /// <summary>Whether a client gets a connection with these options.</summary>
    public static async Task<bool> ConnectsAsync(TemporalClientConnectOptions options)
    {
        try
        {
            await TemporalClient.ConnectAsync(options);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException)
        {
            return false;
        }
    }

    public static async Task<bool> FailsAsync(Func<Task> call)
    {
        try
        {
            await call();
            return false;
        }
        catch (RpcException)
        {
            return true;
        }
    }
}
