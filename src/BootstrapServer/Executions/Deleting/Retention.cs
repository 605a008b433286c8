using PlatformOps.BootstrapServer.Visibility;

namespace PlatformOps.BootstrapServer.Executions.Deleting;

/// <summary>Deletes closed runs when their namespace's retention is over. Looks once an hour: nobody waits for it.</summary>
internal sealed class Retention(Engine engine, VisibilityIndex index, TimeProvider clock) : IDisposable
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
            {
                while (index.OldestClosed(ns.Id) is { CloseTime: { } closed } oldest && closed + ns.Retention <= clock.GetUtcNow())
                {
                    if (engine.TryFind(ns, oldest.WorkflowId, oldest.RunId) is { } run)
                        await engine.Deleter.DeleteAsync(run, "retention");
                    else
                        index.Remove(ns.Id, oldest.RunId);
                }
            }
        }
        finally
        {
            Volatile.Write(ref sweeping, 0);
        }
    }
}
