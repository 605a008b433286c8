namespace PlatformOps.Platform.Tests.Failover.Simulation;

/// <summary>One seeded schedule: writers write, things break, and in the end all is repaired and everything is accounted for.</summary>
internal sealed class FailoverSimulation
{
    private const long Trouble = 12_000_000;
    private const long Calm = 20_000_000;
    private static readonly string[] Places = ["east", "west", SimulatedWitness.Name, "observer-east", "observer-west", SimulatedOperator.Name];

    private readonly SimulatedTime time = new();
    private readonly Random random;
    private readonly Dictionary<string, SimulatedNode> nodes;
    private readonly List<SimulatedObserver> observers;
    private readonly SimulatedOperator operations;
    private readonly SimulatedNetwork network;
    private readonly HashSet<int> acknowledged = [];
    private readonly bool synchronous;
    private string? violation;
    private int rows;

    public FailoverSimulation(int seed, bool synchronous, Mutant mutant = Mutant.None)
    {
        random = new(seed);
        this.synchronous = synchronous;
        network = new(time, random);
        var witness = new SimulatedWitness(network);
        nodes = new[] { "east", "west" }.ToDictionary(name => name, name => new SimulatedNode(name, time, network, witness, Clock(), mutant, Wrote));
        (nodes["east"].Peer, nodes["west"].Peer) = (nodes["west"], nodes["east"]);
        (nodes["east"].Primary, nodes["east"].Synchronous) = (true, synchronous);
        operations = new(time, network, witness, Clock(), nodes, synchronous);
        observers = [.. new[] { "east", "west" }.Select(region => new SimulatedObserver(region, time, network, witness, Clock(), [.. nodes.Values], operations.Hear))];
    }

    /// <summary>What came of it.</summary>
    /// <param name="Violation">What must never happen and did; null: nothing.</param>
    public sealed record Result(string? Violation, int Acknowledged, int Lost, int Reported, int Finished, int TakenBack);

    public Result Run()
    {
        foreach (var node in nodes.Values)
            node.Start();
        foreach (var observer in observers)
            observer.Start();
        network.HealAt(Trouble);
        for (var fault = random.Next(1, 6); fault > 0; fault--)
            time.At(random.NextInt64(1_500_000, Trouble - 2_000_000), Break);
        time.At(500_000, Write);
        time.RunUntil(Trouble + Calm);
        return Account();
    }

    private void Write()
    {
        if (time.Now < Trouble + Calm - 3_000_000)
            time.After(random.Next(20_000, 120_000), Write);
        // One writer follows the pointer, one tries whoever it likes.
        var node = nodes[random.Next(3) > 0 ? operations.Primary : random.Next(2) == 0 ? "east" : "west"];
        var row = ++rows;
        network.Send("client", node.Name, () => node.Insert(row, () => network.Send(node.Name, "client", () => acknowledged.Add(row))));
    }

    private void Break()
    {
        var node = nodes[random.Next(3) > 0 ? operations.Primary : random.Next(2) == 0 ? "east" : "west"];
        var until = Math.Min(Trouble, time.Now + random.NextInt64(100_000, 8_000_000));
        switch (random.Next(12))
        {
            case 0 or 1:
                node.KillServer();
                break;
            case 2:
                node.KillGuard(until - time.Now);
                break;
            case 3 or 4:
                node.Freeze(until);
                break;
            case 5 or 6:
                foreach (var place in Places.Append("client").Where(place => place != node.Name))
                {
                    network.Cut(place, node.Name, until);
                    network.Cut(node.Name, place, until);
                }

                break;
            case 7:
                network.Cut(node.Name, SimulatedWitness.Name, until);
                if (random.Next(2) == 0)
                    network.Cut(SimulatedWitness.Name, node.Name, until);
                break;
            case 8:
                network.Cut(Places[random.Next(Places.Length)], Places[random.Next(Places.Length)], until);
                break;
            case 9:
                for (var crash = random.Next(1, 6); crash > 0; crash--)
                    time.After(random.Next(0, 1_500_000), () => operations.Crash(random.Next(50_000, 2_000_000)));
                break;
            case 10:
                observers[random.Next(2)].LostUntil = until;
                break;
            default:
                operations.SwitchOver();
                break;
        }

        if (random.Next(4) == 0)
            time.After(random.Next(0, 1_500_000), operations.Abort);
    }

    private void Wrote(SimulatedNode node)
    {
        if (node.Peer.WritableUntil > time.Now)
            violation ??= $"At {time.Now / 1e6:0.000} s {node.Name} took a write or opened while {node.Peer.Name} could take writes until {node.Peer.WritableUntil / 1e6:0.000} s.";
    }

    private Result Account()
    {
        var writable = nodes.Values.Where(node => node.Writable).ToList();
        var kept = writable.FirstOrDefault()?.Log.ToHashSet() ?? [];
        var lost = acknowledged.Where(row => !kept.Contains(row)).ToList();
        violation ??= writable.Count != 1 ? $"In the end {writable.Count} nodes are writable, not 1: {string.Join(", ", nodes.Values.Select(node => node.Status))}; {operations}."
            : !operations.Idle ? "In the end a recovery is still open."
            : synchronous && lost.Count > 0 ? $"{lost.Count} acknowledged rows are lost in synchronous mode: {string.Join(", ", lost.Take(5))}."
            : lost.Exists(row => !operations.Reported.Contains(row)) ? $"Acknowledged rows are lost that nobody reported: {string.Join(", ", lost.Where(row => !operations.Reported.Contains(row)).Take(5))}."
            : null;
        return new(violation, acknowledged.Count, lost.Count, operations.Reported.Count, operations.Finished, operations.TakenBack);
    }

    /// <summary>Speeds differ by less than <see cref="Platform.Failover.LeaseRules.ClockDrift"/>; what they show differs by seconds.</summary>
    private SimulatedClock Clock() => new(time, (random.NextDouble() - 0.5) * 0.0098, random.NextInt64(-1_000_000, 1_000_000));
}
