using System.Collections.Concurrent;
using System.Diagnostics;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Worker.V1;

namespace PlatformOps.BootstrapServer.Workers;

/// <summary>
/// The last heartbeat of every worker. In memory only, as on the real server: workers report again within a minute. One that
/// has not for five is taken for dead and forgotten.
/// </summary>
internal sealed class WorkerRegistry
{
    private static readonly TimeSpan TakenForDead = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<(string NamespaceId, string WorkerKey), Entry> workers = new();

    public void Record(Namespace ns, WorkerHeartbeat heartbeat)
    {
        if (heartbeat.WorkerInstanceKey.Length == 0)
            return;
        var known = workers.ContainsKey((ns.Id, heartbeat.WorkerInstanceKey));
        workers[(ns.Id, heartbeat.WorkerInstanceKey)] = new Entry(heartbeat, Stopwatch.GetTimestamp());
        if (!known)
            ForgetDead();
    }

    public IEnumerable<WorkerHeartbeat> Of(Namespace ns) =>
        workers.Where(w => w.Key.NamespaceId == ns.Id && !w.Value.IsDead).Select(w => w.Value.Heartbeat);

    private void ForgetDead()
    {
        foreach (var (key, entry) in workers)
        {
            if (entry.IsDead)
                workers.TryRemove(key, out _);
        }
    }

    private sealed record Entry(WorkerHeartbeat Heartbeat, long Seen)
    {
        public bool IsDead => Stopwatch.GetElapsedTime(Seen) > TakenForDead;
    }
}
