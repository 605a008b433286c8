using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard;

/// <summary>Looks at the server all the time, so that whoever asks gets an answer at once; and writes the marker while the node serves.</summary>
internal sealed class Observing(GuardParts parts)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MarkerEvery = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken ct)
    {
        long? marked = null;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (parts.Server.Ready)
                {
                    parts.Status.Seen(await parts.Sql.ObserveAsync(Patience, ct));
                    if (parts.Gate.IsOpen && (marked is null || parts.Clock.GetElapsedTime(marked.Value) >= MarkerEvery))
                    {
                        marked = parts.Clock.GetTimestamp();
                        await parts.Sql.RunAsync(ServerStatements.WriteMarker, Patience, ct);
                    }
                }
            }
            catch (GuardException failure)
            {
                // Of a server that was stopped in between, nothing is wrong.
                if (parts.Server.Ready)
                    parts.Status.Silent(failure.Message);
            }

            await Task.Delay(Every, parts.Clock, ct);
        }
    }
}
