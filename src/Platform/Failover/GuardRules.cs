namespace PlatformOps.Platform.Failover;

/// <summary>What a guard has to do with what it remembers and sees. Asked again whenever either changes, and first of all when the guard starts: so every state that a
/// killed guard can leave behind is a state to start from.</summary>
public static class GuardRules
{
    /// <param name="data">What is in the data directory.</param>
    /// <param name="record">What the witness said last; null: it has not answered yet.</param>
    public static GuardDuty Decide(GuardMemory memory, string node, NodeData data, WitnessView? record) => (memory, data) switch
    {
        ({ Rebuild: { } rebuild }, _) => new(GuardTask.Rebuild, $"a standby of {rebuild.Primary} is being made of it"),
        ({ Fence: { } fence }, _) => new(GuardTask.StayDown, $"fenced in epoch {fence.Epoch}: {fence.Why}"),
        (_, NodeData.None) => new(GuardTask.StayDown, "there is no data: run platformops guard init"),
        (_, NodeData.Standby) => new(GuardTask.RunStandby, "it is a standby"),
        _ => DecidePrimary(memory, node, record),
    };

    private static GuardDuty DecidePrimary(GuardMemory memory, string node, WitnessView? view) => view switch
    {
        null => new(GuardTask.RunClosed, "the witness has not answered yet"),
        { Record: null } when memory is { First: true, ServesIn: 1 } => new(GuardTask.Serve, "it is the first primary"),
        { Record: null } => new(GuardTask.RunClosed, "the witness has lost its record: restore it, or claim an epoch anew"),
        { Record: var record } when record.Epoch > memory.ServesIn && record.Primary != node =>
            new(GuardTask.Fence, $"epoch {record.Epoch} belongs to {record.Primary}, and the data here is of epoch {memory.ServesIn}"),
        { Record: var record } when record.Epoch < memory.ServesIn =>
            new(GuardTask.RunClosed, $"the witness says epoch {record.Epoch}, which is older than the data (epoch {memory.ServesIn}): it was restored from a copy. Claim an epoch above {memory.ServesIn}"),
        { Record: var record } when record.Primary != node =>
            new(GuardTask.RunClosed, $"the witness gives epoch {record.Epoch} to {record.Primary}, and the data says that it was ours: two pairs use one record. Name another place for one of them"),
        { Record: var record } when record.Epoch > memory.ServesIn => new(GuardTask.RunClosed, $"epoch {record.Epoch} is its own, and it waits to be promoted for it"),
        _ => new(GuardTask.Serve, $"epoch {memory.ServesIn} is its own"),
    };
}

/// <param name="Why">As a clause.</param>
public sealed record GuardDuty(GuardTask Task, string Why);

/// <summary>What a guard does with its server.</summary>
public enum GuardTask
{
    /// <summary>The server is kept down, and nobody gets through.</summary>
    StayDown,

    /// <summary>The server's data belongs to an epoch that is over: fence it, for good.</summary>
    Fence,

    /// <summary>The server runs as a standby; clients are sent to the primary.</summary>
    RunStandby,

    /// <summary>The server runs as a primary that nobody gets to, and the lease is not taken.</summary>
    RunClosed,

    /// <summary>The server runs, the lease is taken and kept, and clients get through as long as it is held.</summary>
    Serve,

    /// <summary>The making of a standby goes on.</summary>
    Rebuild,
}

/// <summary>What is in a data directory.</summary>
public enum NodeData
{
    None,
    Primary,
    Standby,
}

/// <summary>What the witness answered.</summary>
/// <param name="Record">Null: it has nothing.</param>
public sealed record WitnessView(WitnessRecord? Record);
