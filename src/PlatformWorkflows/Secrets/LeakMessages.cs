using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Workflows.Secrets;

/// <summary>Input of <c>LeakResponse</c> (workflow id <c>leak/{environment}</c>). Exactly one of path and identity.</summary>
public sealed record LeakResponseInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>A path in Vault that leaked, with everything below it.</summary>
    public string? Path { get; init; }

    /// <summary>A login, user or role; a service account as <c>namespace/name</c>; a workload as <c>namespace/Kind/name</c>.</summary>
    public string? Identity { get; init; }

    /// <summary>When all of it has to be rotated and the report is made, from the start. Default 1h, <c>5m</c> to <c>24h</c>.</summary>
    public string? Deadline { get; init; }

    /// <summary><c>plan</c> only says what is reached.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>How long each proof has to hold before the old value is revoked. Default: a tenth of the time until the deadline, at most 10m.</summary>
    public string? Settle { get; init; }

    /// <summary>What everything that the run makes is marked with. Default: made from the run.</summary>
    public string? OperationId { get; init; }
}

/// <summary>Result of <c>LeakResponse</c>: complete, also when not everything was done.</summary>
public sealed record LeakResponseReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    /// <summary>What leaked.</summary>
    public required string Leaked { get; init; }

    public required LeakOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>Everything that was in reach, in the order in which it is rotated.</summary>
    public required IReadOnlyList<ReachedSecret> Reached { get; init; }

    /// <summary>What became of each; the same secret of another region is rotated along.</summary>
    public required IReadOnlyList<SecretResult> Rotated { get; init; }

    /// <summary>What is not rotated at the deadline, and why.</summary>
    public required IReadOnlyList<SecretResult> NotRotated { get; init; }

    /// <summary>What people have to do, one sentence each.</summary>
    public required IReadOnlyList<string> ForPeople { get; init; }

    public required DateTimeOffset Deadline { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum LeakOutcome
{
    /// <summary>Nothing was changed: only the plan was asked for.</summary>
    Planned,

    /// <summary>Everything in reach is rotated, and nothing is left for people but to look into what was done with it.</summary>
    Contained,

    /// <summary>Something in reach is not rotated; the report says what, and why.</summary>
    Incomplete,
}

/// <summary>One of path and identity.</summary>
public sealed record FindLeakInput(string Environment, string? Path, string? Identity);
