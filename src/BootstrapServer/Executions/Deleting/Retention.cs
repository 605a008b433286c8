using PlatformOps.BootstrapServer.Namespaces;

namespace PlatformOps.BootstrapServer.Executions.Deleting;

/// <summary>
/// Deletes closed runs when their namespace's retention is over, and schedules that have long had nothing left to do. Looks once an
/// hour, since nobody waits for it; time that is skipped counts, but it is never skipped for this: a test that waits for something
/// else must not lose what it wants to look at.
/// </summary>
internal sealed class Retention(Engine engine, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromHours(1);

    private readonly Lock gate = new();
    private ITimer? timer;
    private DateTimeOffset looked;
    private bool sweeping;

    public void Start()
    {
        looked = clock.GetUtcNow();
        timer = clock.CreateTimer(_ => LookWhenDue(), null, Pause, Pause);
        engine.Skipper?.Moved = LookWhenDue;
    }

    public void Dispose() => timer?.Dispose();

    private void LookWhenDue()
    {
        lock (gate)
        {
            // A timer of an hour may fire a moment before the hour is over.
            if (sweeping || clock.GetUtcNow() - looked < Pause - TimeSpan.FromMinutes(1))
                return;
            sweeping = true;
            looked = clock.GetUtcNow();
        }
        engine.Background(SweepAsync());
    }

    private async Task SweepAsync()
    {
        try
        {
            foreach (var ns in engine.Namespaces.All)
                await SweepAsync(ns);
            await engine.Schedules.DeleteIdleAsync();
        }
        finally
        {
            lock (gate)
                sweeping = false;
        }
    }

    private async Task SweepAsync(Namespace ns)
    {
        var now = clock.GetUtcNow();
        if (ns.Retention >= now - DateTimeOffset.MinValue)
            return; // for ever
        while (await engine.Deleter.DeleteClosedAsync(ns, closedUntil: now - ns.Retention))
        {
            // More of them: some at a time, so that others are written in between.
        }
    }
}
