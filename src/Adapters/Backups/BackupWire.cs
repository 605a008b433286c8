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

    /// <summary>For <see cref="BackupJobKind.Restore"/> and <see cref="BackupJobKind.Stage"/>: the moment to restore to; null: the newest.</summary>
    public DateTimeOffset? Target { get; init; }

    /// <summary>For <see cref="BackupJobKind.Probe"/>.</summary>
    public double RpoSeconds { get; init; }

    /// <summary>For <see cref="BackupJobKind.Probe"/>: by how much the rows of tables may be off; null: as is usual.</summary>
    public RowTolerance? Rows { get; init; }

    /// <summary>For <see cref="BackupJobKind.Secure"/>: the epoch that the data is to know.</summary>
    public long Epoch { get; init; }

    /// <summary>For <see cref="BackupJobKind.Secure"/>: who may log in with what.</summary>
    public IReadOnlyList<CurrentLogin> Logins { get; init; } = [];

    /// <summary>For <see cref="BackupJobKind.Discard"/>: the data that was replaced stays beside the new one.</summary>
    public bool KeepOld { get; init; }
}

/// <summary>A login as it is valid today.</summary>
/// <param name="Like">The role that it is a member of and acts as; its own name when it is that role.</param>
/// <param name="Verifier">What the server keeps of its password.</param>
public sealed record CurrentLogin(string Name, string Like, string Verifier)
{
    /// <summary>Without the verifier.</summary>
    public override string ToString() => Name;
}

/// <summary>What became of the logins of restored data.</summary>
/// <param name="Set">Those that have the password of today.</param>
/// <param name="Closed">Those that the set has and that may not log in today.</param>
/// <param name="Missing">Those that may log in today and that the set does not have.</param>
/// <param name="Compared">Whether the server that is replaced could be asked who may log in.</param>
public sealed record SecuredLogins(IReadOnlyList<string> Set, IReadOnlyList<string> Closed, IReadOnlyList<string> Missing, bool Compared);

public enum BackupJobKind
{
    Make,
    Look,
    Restore,
    Probe,
    CleanUp,
    Remove,

    /// <summary>What is in the place of the node's data.</summary>
    Survey,

    /// <summary>Restores beside the node's data, to take its place.</summary>
    Stage,

    /// <summary>Reads what was staged, and looks for what has to be in it.</summary>
    Prove,

    /// <summary>Gives what was staged the logins and the epoch of today.</summary>
    Secure,

    /// <summary>Removes what was staged and what was replaced.</summary>
    Discard,
}

/// <summary>How far a guard is with an order.</summary>
/// <param name="Progress">For people who wait.</param>
/// <param name="Failure">Why it failed; null: it did not.</param>
/// <param name="Damaged">It failed because of what lies in the repository: trying again does not help.</param>
/// <param name="Missing">It failed because what was asked about is not on this node.</param>
/// <param name="Result">When it is done.</param>
public sealed record BackupJob(string Operation, BackupJobKind Kind, BackupJobState State, string Progress, string? Failure = null, bool Damaged = false, JsonElement? Result = null, bool Missing = false);

public enum BackupJobState
{
    Running,
    Done,
    Failed,
}
