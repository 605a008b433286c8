using PlatformOps.BootstrapServer.Namespaces;

namespace PlatformOps.BootstrapServer.Executions.Deleting;

/// <summary>Deletes closed runs when their namespace's retention is over, and schedules that have long had nothing left to do. Looks once an hour: nobody waits for it.</summary>
internal sealed class Retention(Engine engine, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromHours(1);

    private ITimer? timer;
    private int sweeping;

    public void Start() => timer = clock.CreateTimer(_ => engine.Background(SweepAsync()), null, Pause, Pause);

    public void Dispose() => timer?.Dispose();

    private async Task SweepAsync()
    {
        if (Interlocked.Exchange(ref sweeping, 1) != 0)
            return;
        try
        {
            foreach (var ns in engine.Namespaces.All)
                await SweepAsync(ns);
            await engine.Schedules.DeleteIdleAsync();
        }
        finally
        {
            Volatile.Write(ref sweeping, 0);
        }
    }

    private async Task SweepAsync(Namespace ns)
    {
        while (await engine.Deleter.DeleteClosedAsync(ns, closedUntil: clock.GetUtcNow() - ns.Retention))
        {
            // More of them: some at a time, so that others are written in between.
        }
    }
}
