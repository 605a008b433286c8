namespace PlatformOps.Platform.Failover;

/// <summary>How far a change of places has come: the one state machine that workflow and simulation go by.</summary>
/// <param name="Begun">The steps that were begun, in order; the last one may have had its effect or not.</param>
/// <param name="Done">How many of them have ended.</param>
public sealed record FailoverProgress(FailoverKind Kind, StackMove Stack, IReadOnlyList<FailoverStep> Begun, int Done)
{
    private static readonly FailoverStep[] StackSteps = [FailoverStep.Namespaces, FailoverStep.Scale, FailoverStep.Canary];

    /// <summary>Nothing begun.</summary>
    public static FailoverProgress Start(FailoverKind kind, StackMove stack) => new(kind, stack, [], 0);

    /// <summary>All steps of such a change, in order.</summary>
    /// <remarks>In a failover the claim comes first: it is what ends the old primary's lease. In a switchover the old primary hands everything over while it still
    /// holds its lease, and the claim comes after.</remarks>
    public IReadOnlyList<FailoverStep> Steps =>
    [
        .. Kind == FailoverKind.Failover
            ? [FailoverStep.Claim, FailoverStep.Fence]
            : new[] { FailoverStep.Prepare, FailoverStep.Fence, FailoverStep.Claim },
        FailoverStep.Promote, FailoverStep.Verify, FailoverStep.Repoint,
        .. Stack == StackMove.Stays ? [] : StackSteps,
        FailoverStep.Rebuild, FailoverStep.Readiness,
    ];

    /// <summary>The step to begin, or to begin again after its answer was lost; null: all have ended.</summary>
    public FailoverStep? Next => Done < Begun.Count ? Begun[Done] : Done < Steps.Count ? Steps[Done] : null;

    /// <summary>From the moment at which the promotion is begun the new primary may have taken writes: from there it only goes forward.</summary>
    public bool PointOfNoReturnPassed => Begun.Contains(FailoverStep.Promote);

    /// <summary>What takes back what was begun, in the order in which it has to be: the witness names the old primary before that one may open. Empty when nothing
    /// was done, or when there is no way back.</summary>
    public IReadOnlyList<FailoverCompensation> Compensations => PointOfNoReturnPassed ? [] :
    [
        .. Begun.Contains(FailoverStep.Claim) ? [FailoverCompensation.ClaimBack] : Array.Empty<FailoverCompensation>(),
        // A claim alone closes the old primary too: its next renewal fails.
        .. Begun.Contains(FailoverStep.Fence) || Begun.Contains(FailoverStep.Claim) ? [FailoverCompensation.Unfence] : Array.Empty<FailoverCompensation>(),
    ];

    /// <summary>The next step is begun: noted before its effect.</summary>
    public FailoverProgress Begin() => Next is not { } next
        ? throw new InvalidOperationException("All steps have ended.")
        : Done < Begun.Count ? this : this with { Begun = [.. Begun, next] };

    /// <summary>The step that was begun has ended, or people said to go on without it.</summary>
    public FailoverProgress End() => Done < Begun.Count ? this with { Done = Done + 1 } : throw new InvalidOperationException("No step was begun.");

    /// <summary>The step that was begun certainly had no effect: there is nothing of it to take back.</summary>
    public FailoverProgress WithoutEffect() => Done < Begun.Count ? this with { Begun = [.. Begun.SkipLast(1)] } : this;

    /// <summary>Whether people may say to go on without a step. What makes it safe and what makes it complete for clients may not be left out.</summary>
    public static bool MaySkip(FailoverStep step) => step is FailoverStep.Repoint or FailoverStep.Namespaces or FailoverStep.Scale or FailoverStep.Canary or FailoverStep.Rebuild or FailoverStep.Readiness;
}

/// <summary>What an abort before the point of no return does.</summary>
public enum FailoverCompensation
{
    /// <summary>A claim of a further epoch names the old primary again.</summary>
    ClaimBack,

    /// <summary>The old primary serves again.</summary>
    Unfence,
}
