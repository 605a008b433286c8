using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Workflows.Secrets;

/// <summary>Input of <c>RotateSecret</c> (workflow id <c>secrets/{environment}/{secret}@{region}</c>).</summary>
public sealed record RotateSecretInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The rotation's name in the catalog.</summary>
    public string? Secret { get; init; }

    /// <summary>Required. The region whose secret is meant.</summary>
    public string? Region { get; init; }

    /// <summary>What everything that the run makes is marked with. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long the proof has to hold before the previous version is revoked, for example <c>10m</c>. Default: what the catalog says.</summary>
    public string? Settle { get; init; }

    /// <summary>How long consumers may take to be proved before the run parks. Default 1h, at most 24h.</summary>
    public string? ProveWithin { get; init; }

    /// <summary>How long a parked run waits for an operator before it ends. Default 24h.</summary>
    public string? ParkedAtMost { get; init; }

    /// <summary>Why a secret for which no consumer is found is rotated, and its old value revoked, all the same. Default: the run parks before it begins, unless the catalog says that it has none.</summary>
    public string? NoConsumers { get; init; }

    /// <summary>Set by <c>RotateSecrets</c> only: consumers are restarted by it, once for several secrets.</summary>
    public bool RefreshedByParent { get; init; }
}

/// <summary>Result of <c>RotateSecret</c>.</summary>
public sealed record RotateSecretReport
{
    public required string Environment { get; init; }

    public required string Secret { get; init; }

    public required string Region { get; init; }

    public required string OperationId { get; init; }

    public required RotationOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>The version that consumers use now; null when none was handed out.</summary>
    public int? Version { get; init; }

    /// <summary>Everybody who uses it, and how that was proved.</summary>
    public required IReadOnlyList<SecretConsumer> Consumers { get; init; }

    /// <summary>Consumers that an operator answered for, with the reason; <c>nobody</c>: none was found.</summary>
    public required IReadOnlyDictionary<string, string> Excused { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum RotationOutcome
{
    /// <summary>Every consumer uses the new value; no older one is valid.</summary>
    Rotated,

    /// <summary>Aborted before anything was handed out: the old value is in use as before.</summary>
    Withdrawn,

    /// <summary>Aborted afterwards: consumers use the value of before again, and the new one is revoked.</summary>
    Returned,
}

/// <summary>Input of <c>RotateSecrets</c> (workflow id <c>secrets/{environment}</c>).</summary>
public sealed record RotateSecretsInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Names of rotations. Default: all that are due.</summary>
    public IReadOnlyList<string>? Secrets { get; init; }

    /// <summary><c>plan</c> only says what is due.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>What everything that the run makes is marked with. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>As for <c>RotateSecret</c>.</summary>
    public string? Settle { get; init; }

    /// <summary>As for <c>RotateSecret</c>.</summary>
    public string? ProveWithin { get; init; }

    /// <summary>As for <c>RotateSecret</c>.</summary>
    public string? ParkedAtMost { get; init; }

    /// <summary>As for <c>RotateSecret</c>, for all of them.</summary>
    public string? NoConsumers { get; init; }
}

/// <summary>Result of <c>RotateSecrets</c>.</summary>
public sealed record RotateSecretsReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required RotateSecretsOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>The secrets that were asked about, as they were before.</summary>
    public required IReadOnlyList<FoundSecret> Found { get; init; }

    /// <summary>What became of each that was rotated.</summary>
    public required IReadOnlyList<SecretResult> Secrets { get; init; }

    /// <summary>How often each consumer was restarted, by <c>region/namespace/Kind/name</c>.</summary>
    public required IReadOnlyDictionary<string, int> Restarts { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <param name="Outcome">Null: it did not end well.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="NoConsumers">No consumer was found, and it was rotated all the same for this reason; null: that was not so.</param>
public sealed record SecretResult(SecretReference Secret, RotationOutcome? Outcome, string Summary, string? NoConsumers = null);

public enum RotateSecretsOutcome
{
    /// <summary>Nothing was changed: only the plan was asked for.</summary>
    Planned,

    /// <summary>Nothing was due.</summary>
    NothingDue,

    /// <summary>All of them.</summary>
    Rotated,

    /// <summary>Not all of them; each says why.</summary>
    Incomplete,
}
