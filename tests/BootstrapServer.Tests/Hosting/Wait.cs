using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Waits for conditions that a server reaches in its own time.</summary>
internal static class Wait
{
    /// <summary>Longer than any of them takes on a busy machine, with a server that is killed again and again meanwhile.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

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

    /// <summary>The answer to a call whose time is limited: a server answers shortly before that, which a busy machine can make too late.</summary>
    public static async Task<T> ForAnswerAsync<T>(Func<Task<T>> call)
        where T : class
    {
        T? answer = null;
        await UntilAsync(async () => (answer = await InTimeAsync(call)) is not null);
        return answer!;
    }

    /// <summary>The answer to a call whose time is limited; null when it came after that.</summary>
    public static async Task<T?> InTimeAsync<T>(Func<Task<T>> call)
        where T : class
    {
        try
        {
            return await call();
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.Cancelled or RpcException.StatusCode.DeadlineExceeded)
        {
            return null;
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
