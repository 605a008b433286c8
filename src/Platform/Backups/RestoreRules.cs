using System.Globalization;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Backups;

/// <summary>All that a decision about a restore goes by.</summary>
public sealed record RestoreFacts
{
    public required string Environment { get; init; }

    public required BackupDefinition Definition { get; init; }

    /// <summary>Every set of the store, as the backup catalog has it.</summary>
    public required IReadOnlyList<BackupSet> Sets { get; init; }

    /// <summary>What is missing in the log.</summary>
    public required IReadOnlyList<WalGap> Gaps { get; init; }

    /// <summary>Sets that cannot be restored as things stand, by label, with why.</summary>
    public required IReadOnlyDictionary<string, string> Broken { get; init; }

    /// <summary>When the newest piece of the log was archived; null: there is none.</summary>
    public DateTimeOffset? NewestLog { get; init; }

    /// <summary>The set that was asked for; null: whichever fits.</summary>
    public string? Set { get; init; }

    /// <summary>The moment that was asked for; null: the newest.</summary>
    public DateTimeOffset? Target { get; init; }

    /// <summary>Who is primary in <see cref="Epoch"/>, as the witness says.</summary>
    public required string Primary { get; init; }

    public required long Epoch { get; init; }

    /// <summary>The nodes of the pair; of one that does not answer null.</summary>
    public required IReadOnlyDictionary<string, DatabaseNode?> Nodes { get; init; }

    /// <summary>What is in the primary's place; null: its guard does not answer.</summary>
    public NodePlace? Place { get; init; }

    public required DateTimeOffset Now { get; init; }
}

/// <summary>Where a node's data is.</summary>
/// <param name="Bytes">What it takes; 0: there is none.</param>
/// <param name="FreeBytes">What is free beside it.</param>
/// <param name="MountPoint">It is the mount point of a volume, and cannot be moved.</param>
/// <param name="Busy">The operation that has restored something beside it and has not ended; null: none.</param>
/// <param name="Exchanged">What the operation that asks has restored takes its place already, or has taken it.</param>
public sealed record NodePlace(long Bytes, long FreeBytes, bool MountPoint, string? Busy, bool Exchanged = false);

/// <summary>What a restore would do: which set, which moment, and what becomes of the data that is there.</summary>
public static class RestoreRules
{
    /// <summary>So much more than the data that is there has to be free: the log that is read on the way.</summary>
    private const double Room = 1.1;

    /// <param name="operation">Whose plan it is.</param>
    public static RestoreDecision Decide(RestoreFacts facts, string operation)
    {
        if (facts.Target > facts.Now)
            return new RestoreDecision.Refuse($"{facts.Target:u} is not yet. Name a moment of the past, or none for the newest.");
        if (facts.Target is not null && !facts.Definition.Continuous)
            return new RestoreDecision.Refuse($"{facts.Definition.Name} keeps no log between its sets: it can be restored to sets only. Name one.");
        if (WhyNotThere(facts, operation) is { } place)
            return new RestoreDecision.Refuse(place);
        var (set, why) = SetChoice.Of(facts.Sets, facts.Definition, facts.Set, facts.Target, set => WhyNot(set, facts));
        return set is null ? new RestoreDecision.Refuse(why) : new RestoreDecision.Restore(Plan(facts, set, why));
    }

    private static string? WhyNotThere(RestoreFacts facts, string operation) => facts.Place switch
    {
        null => $"The guard of {facts.Primary}, which is primary in epoch {facts.Epoch}, does not answer, and restores are done by it. Start it, or fail over first.",
        { Busy: { } other } when other != operation => $"{other} has restored something beside the data of {facts.Primary}. Let it end or abort it first.",
        { MountPoint: true } => $"The data directory of {facts.Primary} is the mount point of a volume, so that nothing can take its place in one move. Let data name a directory in the volume: docs/runbooks/restore.md.",
        { Bytes: > 0 } place when place.FreeBytes < place.Bytes * Room => string.Create(
            CultureInfo.InvariantCulture,
            $"Beside the data of {facts.Primary} are {place.FreeBytes / 1e9:0.0} GB free, and {place.Bytes * Room / 1e9:0.0} GB are needed: the old data is kept until the restored is proved. Make room."),
        _ => null,
    };

    /// <summary>Null: nothing of the log or of the repository speaks against it.</summary>
    private static string? WhyNot(BackupSet set, RestoreFacts facts) => facts.Broken.GetValueOrDefault(set.Label!) ?? facts.Gaps
        .Where(gap => (gap.Before is null || gap.Before > set.At) && (facts.Target is null || gap.After is null || gap.After < facts.Target)).Select(gap => $"{gap}").FirstOrDefault();

    private static RestorePlan Plan(RestoreFacts facts, BackupSet set, string why)
    {
        var (primary, standby) = (facts.Nodes[facts.Primary], facts.Nodes.Keys.Where(node => node != facts.Primary).Order(StringComparer.Ordinal).FirstOrDefault());
        var measured = set.Proof?.MeasuredRto ?? facts.Sets.Where(other => other.Proof?.MeasuredRto is not null).OrderByDescending(other => other.Proof!.At).FirstOrDefault()?.Proof!.MeasuredRto;
        var overwrites = facts.Place!.Bytes > 0;
        return new()
        {
            Environment = facts.Environment,
            Store = facts.Definition.Name,
            Set = set.Id,
            Label = set.Label!,
            Target = facts.Target,
            Why = why,
            Node = facts.Primary,
            Standby = standby,
            Epoch = facts.Epoch,
            Overwrites = overwrites,
            Lost = !overwrites ? $"{facts.Primary} has no data: nothing is overwritten."
                : string.Create(CultureInfo.InvariantCulture, $"The data of {facts.Primary} ({facts.Place.Bytes / 1e9:0.0} GB) is replaced. What was committed after {(facts.Target is { } target ? $"{target:u}" : $"the end of the archive{(facts.NewestLog is { } log ? $" ({log:u})" : "")}")} is only in the backup that is made of it first."),
            Estimate = measured,
            Notes =
            [
                .. set.Proof is null ? [$"{set.Id} was never verified. It is read and compared before anything is replaced."] : Array.Empty<string>(),
                .. overwrites && primary is not { Writable: true } ? [$"{facts.Primary} does not serve: if no backup of it can be made, the run parks, and somebody has to answer for going on without."] : Array.Empty<string>(),
                .. standby is not null && facts.Nodes[standby] is null ? [$"The guard of {standby} does not answer: it cannot follow the restored data until it does."] : Array.Empty<string>(),
                .. measured is null ? ["Nobody knows how long it takes: no set of the store was ever verified."] : Array.Empty<string>(),
            ],
        };
    }
}
