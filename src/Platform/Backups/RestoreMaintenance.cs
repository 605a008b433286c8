using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Backups;

/// <summary>What keeps a database's failover still while its data is exchanged.</summary>
public abstract record RestoreMaintenance
{
    private RestoreMaintenance()
    {
    }

    /// <summary>How long nothing fails over by itself, when nobody closes the maintenance of a restore before.</summary>
    public static TimeSpan Length { get; } = TimeSpan.FromHours(24);

    /// <summary>A maintenance of the restore's own is opened.</summary>
    public sealed record Open : RestoreMaintenance;

    /// <summary>What is open lasts long enough.</summary>
    public sealed record Rely : RestoreMaintenance;

    /// <summary>What somebody else has opened would end too soon, and is his to change.</summary>
    public sealed record Refuse(string Why) : RestoreMaintenance;

    /// <param name="known">What is open; null: nothing.</param>
    /// <param name="environment">Whose failover it is, for what people are told.</param>
    /// <param name="operation">The restore.</param>
    /// <param name="needed">How long the restore may take from here: its RTO, by which it is done or somebody looks after it.</param>
    public static RestoreMaintenance Decide(Maintenance? known, string environment, string operation, DateTimeOffset now, TimeSpan needed) => known switch
    {
        null => new Open(),
        _ when known.Until <= now => new Open(),
        _ when known.Until >= now + needed => new Rely(),
        _ when known.By == operation => new Open(),
        _ => new Refuse(
            $"{known.By ?? "Somebody"} has opened a maintenance ({known.Reason}) that ends {known.Until:u}, and the restore may take until {now + needed:u}: after the end {environment} could fail over to the data that is replaced."
            + $" Have it last longer (platformops maintenance {environment} --for 24h --reason ...) or close it (platformops maintenance {environment} --close), then retry the step."),
    };
}
