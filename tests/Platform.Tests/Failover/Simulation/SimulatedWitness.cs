using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover.Simulation;

/// <summary>Compare-and-swap outside both regions. Every call goes over the network, both ways.</summary>
internal sealed class SimulatedWitness(SimulatedNetwork network)
{
    public const string Name = "witness";

    public (WitnessRecord Record, long Version) Entry { get; private set; } = (new(1, "east", "first", null, null), 1);

    public void Read(string from, Action<(WitnessRecord Record, long Version)> answered) => network.Send(from, Name, () =>
    {
        var entry = Entry;
        network.Send(Name, from, () => answered(entry));
    });

    /// <param name="answered">The new entry, or null when somebody else wrote first.</param>
    public void Write(string from, WitnessRecord record, long version, Action<(WitnessRecord Record, long Version)?> answered) => network.Send(from, Name, () =>
    {
        (WitnessRecord, long)? result = null;
        if (Entry.Version == version)
            result = Entry = (record, version + 1);
        network.Send(Name, from, () => answered(result));
    });
}
