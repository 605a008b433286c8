using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>Looks at each thing that a failover would need, one sentence for each. Changes nothing.</summary>
internal sealed class FailoverReadinessCheck(FailoverPair pair, FailoverAccess access)
{
    /// <summary>A standby that lacks more than this is shown as lagging: a segment of the write-ahead log.</summary>
    private const long LagBytes = 16 * 1024 * 1024;

    public async Task<ReadinessReport> CheckAsync(CancellationToken ct)
    {
        var items = new List<ReadinessItem>();
        WitnessRecord? record = null;
        items.Add(await AskAsync("witness", async () =>
        {
            record = (await pair.Witness.ReadAsync(ct))?.Record;
            return record is null ? (false, "It keeps nothing: start the guards.") : (true, $"Epoch {record.Epoch} of {record.Primary}.");
        }));
        var nodes = new Dictionary<string, DatabaseNode>();
        foreach (var name in access.Nodes.Keys)
            items.Add(await AskAsync($"guard@{name}", async () =>
            {
                var node = nodes[name] = await pair.Database.ObserveAsync(name, ct);
                return (node.Trouble is null, node.Trouble ?? $"It is {node.Role} in epoch {node.Epoch}.");
            }));
        if (record is { Primary: var primary } && nodes.GetValueOrDefault(primary) is { } led)
        {
            items.Add(new("primary", led.Writable, led.Writable ? $"{primary} is writable." : $"{primary} is not writable."));
            items.Add(new("synchronous", !access.Synchronous || led.Synchronous == true, led.Synchronous == true ? "Commits wait for the standby." : "Commits do not wait for a standby: a failover may lose some."));
            items.Add(Lag(led, nodes.Values.FirstOrDefault(node => node.Name != primary)));
            var probe = await pair.TryWriteAsync(primary, TimeSpan.FromSeconds(2), ct);
            items.Add(new("writeProbe", probe == WriteProbe.Written, probe switch
            {
                WriteProbe.Written => $"A write through the clients' path to {primary} was acknowledged.",
                WriteProbe.Unclear => "The login of write probes does not work: observers cannot tell whether clients can write. Correct failover.*.login in the connections file.",
                _ => $"A write through the clients' path to {primary} was not acknowledged.",
            }));
        }

        if (access.Dns is { TimeToLiveSeconds: var life })
            items.Add(new("dnsTimeToLive", life <= 60, $"Resolvers keep the record for {life} s{(life <= 60 ? "" : ": clients would come that much later; 60 s at most are wanted")}."));
        return new(items);
    }

    private static ReadinessItem Lag(DatabaseNode primary, DatabaseNode? standby) => standby switch
    {
        { Role: NodeRole.Standby, Streaming: true } when primary.ReceivedLsn - standby.ReceivedLsn is { } lag => new("lag", lag <= LagBytes, $"{standby.Name} lacks {Math.Max(0, lag)} bytes."),
        null => new("lag", false, "The standby does not answer."),
        _ => new("lag", false, $"{standby.Name} is {standby.Role} and does not stream. Rebuild it."),
    };

    private static async Task<ReadinessItem> AskAsync(string name, Func<Task<(bool Ok, string Detail)>> ask)
    {
        try
        {
            var (ok, detail) = await ask();
            return new(name, ok, detail);
        }
        catch (AdapterException failure)
        {
            return new(name, false, failure.Message);
        }
    }
}
