using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>Looks at each thing that a failover would need, one sentence for each. Changes nothing but the row of its write probe.</summary>
internal sealed class FailoverReadinessCheck(FailoverPair pair, FailoverAccess access, TimeProvider time)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    private readonly List<ReadinessItem> items = [];
    private readonly Dictionary<string, DatabaseNode> nodes = [];

    public async Task<ReadinessReport> CheckAsync(CancellationToken ct)
    {
        WitnessRecord? record = null;
        await AskAsync("witness", async () =>
        {
            record = (await pair.Witness.ReadAsync(ct))?.Record;
            return ReadinessRules.Witness(record, await RenewedAsync(record, ct));
        });
        foreach (var name in access.Nodes.Keys)
            await AskAsync($"guard@{name}", async () =>
            {
                var node = nodes[name] = await pair.Database.ObserveAsync(name, ct);
                return new(node.Trouble is null, node.Trouble ?? $"It is {node.Role} in epoch {node.Epoch}.");
            });
        if (record is { Primary: var primary } && nodes.GetValueOrDefault(primary) is { } led)
            await LookAtAsync(led, ct);
        if (pair.Certificates is { } certificates)
            await LookAtAsync(certificates, ct);
        if (access.Dns is { TimeToLiveSeconds: var life })
            Add("dnsTimeToLive", ReadinessRules.TimeToLive(life));
        return new(items);
    }

    private async Task LookAtAsync(DatabaseNode primary, CancellationToken ct)
    {
        var name = primary.Name;
        Add("primary", new(primary.Writable, primary.Writable ? $"{name} is writable." : $"{name} is not writable."));
        Add("synchronous", new(!access.Synchronous || primary.Synchronous == true, primary.Synchronous == true ? "Commits wait for the standby." : "Commits do not wait for a standby: a failover may lose some."));
        Add("lag", ReadinessRules.Lag(primary, nodes.Values.FirstOrDefault(node => node.Name != name)));
        var probe = await pair.TryWriteAsync(name, TimeSpan.FromSeconds(2), ct);
        Add("writeProbe", new(probe == WriteProbe.Written, probe switch
        {
            WriteProbe.Written => $"A write through the clients' path to {name} was acknowledged.",
            WriteProbe.Unclear => "The login of write probes does not work: observers cannot tell whether clients can write. Correct failover.*.login in the connections file.",
            _ => $"A write through the clients' path to {name} was not acknowledged.",
        }));
    }

    private async Task LookAtAsync(GuardCertificates certificates, CancellationToken ct)
    {
        foreach (var name in access.Nodes.Keys)
            await AskAsync($"certificate@{name}", async () => ReadinessRules.Certificate(await certificates.ServerValidUntilAsync(name, ct), time.GetUtcNow()));
        await AskAsync("certificate", () => Task.FromResult(ReadinessRules.Certificate(certificates.OwnValidUntil(), time.GetUtcNow())));
    }

    /// <summary>What the witness keeps as soon as it is something else, or when the lease would have run out.</summary>
    private async Task<WitnessRecord?> RenewedAsync(WitnessRecord? first, CancellationToken ct)
    {
        if (first?.Lease is not { Released: false } lease)
            return first;
        var since = time.GetTimestamp();
        while (true)
        {
            var later = (await pair.Witness.ReadAsync(ct))?.Record;
            if (later != first || time.GetElapsedTime(since) >= ReadinessRules.LookForRenewal(lease))
                return later;
            await Task.Delay(BetweenLooks, time, ct);
        }
    }

    private async Task AskAsync(string name, Func<Task<ReadinessFinding>> ask)
    {
        try
        {
            Add(name, await ask());
        }
        catch (AdapterException failure)
        {
            Add(name, new(false, failure.Message));
        }
    }

    private void Add(string name, ReadinessFinding finding) => items.Add(new(name, finding.Ok, finding.Detail));
}
