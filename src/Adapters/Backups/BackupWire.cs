using System.Text.Json;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Adapters.Backups;

/// <summary>What a guard is asked to do about backups. The same order again joins what is going on, or finds it done.</summary>
public sealed record BackupOrder
{
    /// <summary>Whose it is.</summary>
    public string Operation { get; init; } = "";

    public BackupJobKind Kind { get; init; }

    /// <summary>For <see cref="BackupJobKind.Make"/>.</summary>
    public BackupMethod Method { get; init; }

    /// <summary>pgBackRest's name of a set.</summary>
    public string? Label { get; init; }

    /// <summary>For <see cref="BackupJobKind.Restore"/>: the moment to restore to; null: the newest.</summary>
    public DateTimeOffset? Target { get; init; }

    /// <summary>For <see cref="BackupJobKind.Probe"/>.</summary>
    public double RpoSeconds { get; init; }
}

public enum BackupJobKind
{
    Make,
    Look,
    Restore,
    Probe,
    CleanUp,
    Remove,
}

/// <summary>How far a guard is with an order.</summary>
/// <param name="Progress">For people who wait.</param>
/// <param name="Failure">Why it failed; null: it did not.</param>
/// <param name="Damaged">It failed because of what lies in the repository: trying again does not help.</param>
/// <param name="Result">When it is done.</param>
public sealed record BackupJob(string Operation, BackupJobKind Kind, BackupJobState State, string Progress, string? Failure = null, bool Damaged = false, JsonElement? Result = null);

public enum BackupJobState
{
    Running,
    Done,
    Failed,
}
