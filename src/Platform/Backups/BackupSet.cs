using System.Text.Json.Serialization;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Platform.Backups;

/// <summary>One backup of one store, as its entry in the backup catalog says. The entry lies beside the data that it is about.</summary>
public sealed record BackupSet
{
    /// <summary>The id of the operation that made it: the same operation never makes two sets.</summary>
    public required string Id { get; init; }

    public required string Environment { get; init; }

    /// <summary>The region whose store it is of.</summary>
    public required string Region { get; init; }

    /// <summary>The store's name in the catalog of components: <see cref="BackupDefinition.Name"/>.</summary>
    public required string Store { get; init; }

    public required StoreKind Kind { get; init; }

    public required BackupMethod Method { get; init; }

    public required BackupOutcome Outcome { get; init; }

    /// <summary>Why it is partial or has failed; null otherwise.</summary>
    public string? Reason { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Null while it runs.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Which moments it can bring back; null: none yet.</summary>
    public RecoveryRange? Range { get; init; }

    /// <summary>What the store's own tool calls it; null: it has no name there yet.</summary>
    public string? Label { get; init; }

    /// <summary>Ids of the sets without which it is worth nothing.</summary>
    public IReadOnlyList<string> DependsOn { get; init; } = [];

    /// <summary>What it takes in the repository; null: not known.</summary>
    public long? Bytes { get; init; }

    /// <summary>Null: it is not finished.</summary>
    public BackupManifest? Manifest { get; init; }

    /// <summary>The snapshot of etcd in a set of cluster state; null: it has none.</summary>
    public EtcdSnapshot? Etcd { get; init; }

    /// <summary>Where it lies; the first is where it was made.</summary>
    public IReadOnlyList<BackupLocation> Locations { get; init; } = [];

    /// <summary>What came of its last verification; null: it was never verified.</summary>
    public BackupProof? Proof { get; init; }

    /// <summary>When it was last restored without what is in it being read, which proves nothing; null: never, or it was read since.</summary>
    public BackupRestored? Restored { get; init; }

    /// <summary>Somebody wants it to stay; null: nobody does.</summary>
    public BackupHold? Hold { get; init; }

    /// <summary>Restores and verifications that read it.</summary>
    public IReadOnlyList<BackupUse> Uses { get; init; } = [];

    /// <summary>Since when it is to go; null: it is not.</summary>
    public DateTimeOffset? MarkedAt { get; init; }

    /// <summary>It is being removed: nobody may begin to read it any more.</summary>
    public bool Sweeping { get; init; }

    /// <summary>The earliest moment that it can bring back.</summary>
    [JsonIgnore]
    public DateTimeOffset At => Range?.From ?? FinishedAt ?? StartedAt;

    /// <summary>Whether it could be restored as far as is known: whole, and not found damaged.</summary>
    public bool Good => Outcome == BackupOutcome.Complete && !Sweeping && Proof is not { Proved: false };

    /// <summary>Whether a restore of it was proved, however long ago.</summary>
    public bool Proved => Outcome == BackupOutcome.Complete && !Sweeping && Proof is { Proved: true };

    /// <summary>In one word, for people: what matters most about it now.</summary>
    /// <param name="verifyEvery">How old a proof may become.</param>
    public BackupStanding Standing(TimeSpan verifyEvery, DateTimeOffset now) => this switch
    {
        { MarkedAt: not null } => BackupStanding.Marked,
        { Outcome: BackupOutcome.Running } => BackupStanding.Running,
        { Outcome: BackupOutcome.Failed } => BackupStanding.Failed,
        { Outcome: BackupOutcome.Partial } => BackupStanding.Partial,
        { Proof.Proved: false } => BackupStanding.Damaged,
        { Hold: not null } => BackupStanding.Held,
        { Proof: { } proof } when now - proof.At < verifyEvery => BackupStanding.Verified,
        _ when now - (FinishedAt ?? StartedAt) < verifyEvery && Proof is null => BackupStanding.Complete,
        _ => BackupStanding.Unproven,
    };
}

/// <summary>How the making of a set ended.</summary>
public enum BackupOutcome
{
    /// <summary>It did not end yet, as far as is known.</summary>
    Running,

    /// <summary>All of it is there.</summary>
    Complete,

    /// <summary>Some of it is there. It is never the last good one.</summary>
    Partial,

    /// <summary>Nothing of it can be used.</summary>
    Failed,
}

/// <summary>How a set stands, in one word. What is above hides what is below.</summary>
public enum BackupStanding
{
    /// <summary>It is to go, and waits for its time.</summary>
    Marked,
    Running,
    Failed,
    Partial,

    /// <summary>A verification found that it cannot be restored whole.</summary>
    Damaged,

    /// <summary>Somebody wants it to stay.</summary>
    Held,

    /// <summary>A restore of it was proved lately.</summary>
    Verified,

    /// <summary>It is whole, and its first verification is not due yet.</summary>
    Complete,

    /// <summary>It is whole, and its verification is due: nobody knows whether it can be restored.</summary>
    Unproven,
}

/// <summary>Which moments can be brought back.</summary>
/// <param name="From">The earliest.</param>
/// <param name="To">The latest when the set was made; with a continuous log it grows with it.</param>
public sealed record RecoveryRange(DateTimeOffset From, DateTimeOffset To);

/// <summary>What tells whether the files of a set are those that were written.</summary>
/// <param name="Digest">SHA-256 over the list of files with their sizes and checksums.</param>
/// <param name="Files">How many there are.</param>
public sealed record BackupManifest(string Digest, int Files);

/// <summary>Where a copy of a set lies.</summary>
/// <param name="Region">AWS's or our name of the region.</param>
/// <param name="Place">Bucket and path, such as <c>s3://backups/production/postgresql</c>.</param>
/// <param name="LockedUntil">Until when nobody can delete it; null: it is not locked.</param>
public sealed record BackupLocation(string Region, string Place, DateTimeOffset? LockedUntil = null);

/// <summary>What came of a verification.</summary>
/// <param name="Proved">Whether it was restored whole, with all the data that it has to have.</param>
/// <param name="Operation">The operation that verified it.</param>
/// <param name="Findings">What was found, one sentence each; those that speak against it first.</param>
/// <param name="MeasuredRpo">The age of the newest data that the restore brought back; null: not measured.</param>
/// <param name="MeasuredRto">How long the restore took until the store answered; null: not measured.</param>
public sealed record BackupProof(bool Proved, DateTimeOffset At, string Operation, IReadOnlyList<string> Findings, TimeSpan? MeasuredRpo = null, TimeSpan? MeasuredRto = null);

/// <param name="Operation">The operation that restored it.</param>
/// <param name="Unread">Why nobody has read what was in it, as a sentence.</param>
public sealed record BackupRestored(DateTimeOffset At, string Operation, string Unread);

/// <param name="By">Who wants it to stay.</param>
/// <param name="Why">One sentence.</param>
/// <param name="Until">Null: until somebody lets it go.</param>
public sealed record BackupHold(string By, string Why, DateTimeOffset? Until = null)
{
    public bool Holds(DateTimeOffset now) => Until is null || now < Until;
}

/// <param name="By">The operation that reads it.</param>
/// <param name="Until">It ends by itself: who reads may die. Whoever reads for longer says so again.</param>
public sealed record BackupUse(string By, DateTimeOffset Until);
