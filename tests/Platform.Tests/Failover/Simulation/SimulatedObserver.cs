using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover.Simulation;

/// <summary>Asks both nodes and the witness again and again, and reports what changed; what counts against the primary it repeats.</summary>
internal sealed class SimulatedObserver(string region, SimulatedTime time, SimulatedNetwork network, SimulatedWitness witness, SimulatedClock clock, IReadOnlyList<SimulatedNode> nodes, Action<ObserverReport> report)
{
    private const long Interval = 100_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<string, (DatabaseNode Node, TimeSpan At, DateTimeOffset Wall)> answers = [];
    private readonly Dictionary<string, (NodeFinding Finding, DateTimeOffset Since)> findings = [];
    private LeaseReport? lease;
    private TimeSpan leaseAt = TimeSpan.MinValue / 2;
    private (long Sequence, long Epoch) met;
    private TimeSpan metAt;
    private string said = "";
    private TimeSpan saidAt;

    /// <summary>Until then it is gone; somebody starts it again.</summary>
    public long LostUntil { get; set; }

    public void Start() => time.After(0, Look);

    private void Look()
    {
        time.After(Interval, Look);
        if (time.Now < LostUntil)
            return;
        foreach (var node in nodes)
        {
            network.Send(region, node.Name, () => node.Reach(() =>
            {
                var status = node.Status;
                network.Send(node.Name, region, () =>
                {
                    if (answers.GetValueOrDefault(node.Name).Node is not { } known || known.Epoch <= status.Epoch)
                        answers[node.Name] = (status, clock.Monotonic, clock.Wall);
                });
            }));
        }

        witness.Read(region, entry => Meet(entry.Record));
        Say();
    }

    private void Meet(WitnessRecord record)
    {
        var sequence = (record.Lease ?? record.Replaced)?.Sequence ?? 0;
        if ((sequence, record.Epoch) != met)
            (met, metAt) = ((sequence, record.Epoch), clock.Monotonic);
        leaseAt = clock.Monotonic;
        lease = new(record.Epoch, record.Primary, record.Lease, record.Replaced, clock.Monotonic - metAt);
    }

    private void Say()
    {
        var now = new ObserverReport
        {
            Observer = region,
            SeenAt = clock.Wall,
            Nodes = [.. nodes.Select(Report)],
            Lease = clock.Monotonic - leaseAt <= Patience ? lease : null,
        };
        var stalled = now.Lease is { Lease: { } held } && now.Lease.UnchangedFor >= held.Duration * 0.8;
        var words = $"{string.Join(' ', now.Nodes.Select(node => node.Finding))} {stalled} {now.Lease?.Epoch} {now.Lease?.Lease?.Released}";
        var troubled = now.Nodes.Any(node => node.Finding is not (NodeFinding.Serving or NodeFinding.NotServing)) || stalled || !words.Contains(nameof(NodeFinding.Serving), StringComparison.Ordinal);
        if (words == said && clock.Monotonic - saidAt < TimeSpan.FromSeconds(troubled ? 0.5 : 2))
            return;
        (said, saidAt) = (words, clock.Monotonic);
        network.Send(region, SimulatedOperator.Name, () => report(now));
    }

    private NodeReport Report(SimulatedNode node)
    {
        var known = answers.GetValueOrDefault(node.Name);
        var heard = known.Node is not null && clock.Monotonic - known.At <= Patience;
        var found = new NodeReport(node.Name, heard ? known.Node : null, heard ? WriteProbe.NotTried : WriteProbe.NoAnswer, known.Node, known.Node is null ? null : known.Wall);
        if (findings.GetValueOrDefault(node.Name) is var before && (before.Finding != found.Finding || before.Since == default))
            findings[node.Name] = (found.Finding, clock.Wall);
        return found with { Since = findings[node.Name].Since };
    }
}
