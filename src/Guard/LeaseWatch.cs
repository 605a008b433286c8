using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard;

/// <summary>Cuts everybody off when the lease is over, also when nothing passes: then the server's sessions end too.</summary>
internal sealed class LeaseWatch(GuardParts parts)
{
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (parts.Gate.CloseWhenOver())
            {
                parts.Cut();
                parts.Log.LogWarning("The lease is over: nobody gets through any more");
                _ = EndSessionsAsync(ct);
            }

            var left = parts.Keeper.Held.Left;
            await Task.Delay(left > TimeSpan.Zero && left < parts.Configuration.Lease.Watch ? left + TimeSpan.FromMilliseconds(1) : TimeSpan.FromMilliseconds(10), parts.Clock, ct);
        }
    }

    private async Task EndSessionsAsync(CancellationToken ct)
    {
        try
        {
            await parts.SlowSql.RunAsync(ServerStatements.EndSessions, TimeSpan.FromSeconds(5), ct);
        }
        catch (Exception failure) when (failure is GuardException or OperationCanceledException)
        {
            parts.Log.LogWarning("{Failure}", failure.Message);
        }
    }
}
