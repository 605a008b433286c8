namespace PlatformOps.Platform.Backups;

/// <summary>What a restore into a running database does, in this order; then what takes it back.</summary>
public enum RestoreStep
{
    /// <summary>The set is claimed: retention leaves it alone.</summary>
    Reserve,

    /// <summary>What would be overwritten is backed up.</summary>
    BackUp,

    /// <summary>The set is restored beside the data, where nobody reaches it; the database serves.</summary>
    Restore,

    /// <summary>Everything in it is read, and what has to be in it is looked for.</summary>
    Prove,

    /// <summary>The database is taken out of service.</summary>
    Fence,

    /// <summary>Who may log in is who may today, and the data knows today's epoch.</summary>
    Secure,

    /// <summary>The restored data takes the place of the old, which is kept beside it.</summary>
    Place,

    /// <summary>An epoch is claimed: whatever was decided about the old data is void.</summary>
    Claim,

    /// <summary>Clients get through.</summary>
    Open,

    /// <summary>A write through the clients' path is acknowledged.</summary>
    Verify,

    /// <summary>The other node is made a standby of the restored data.</summary>
    Rebuild,

    /// <summary>What was kept for the way back is removed, and the set let go.</summary>
    CleanUp,

    /// <summary>The old data is in its place again.</summary>
    PutBack,

    /// <summary>The database serves again as it did.</summary>
    Unfence,

    /// <summary>What was restored beside the data is removed, and the set let go.</summary>
    Discard,
}

/// <summary>How far a restore has come: what is next, and what takes back what was begun.</summary>
/// <param name="Begun">How many of the steps were begun; the last one may have had its effect or not.</param>
public readonly record struct RestoreProgress(int Begun)
{
    /// <summary>Those that lead forward.</summary>
    public static IReadOnlyList<RestoreStep> Steps { get; } = [.. Enum.GetValues<RestoreStep>().Where(step => step < RestoreStep.PutBack)];

    /// <summary>From the moment at which the restored data is opened clients may have written into it: from there it only goes forward.</summary>
    public bool PointOfNoReturnPassed => Has(RestoreStep.Open);

    /// <summary>What leads back to the old state, in this order. Empty when nothing was done, or when there is no way back.</summary>
    public IReadOnlyList<RestoreStep> Compensations => PointOfNoReturnPassed ? [] :
    [
        .. Has(RestoreStep.Place) ? [RestoreStep.PutBack] : Array.Empty<RestoreStep>(),
        .. Has(RestoreStep.Fence) ? [RestoreStep.Unfence] : Array.Empty<RestoreStep>(),
        .. Has(RestoreStep.Reserve) ? [RestoreStep.Discard] : Array.Empty<RestoreStep>(),
    ];

    /// <summary>The step is begun: noted before its effect.</summary>
    public RestoreProgress Begin(RestoreStep step) => new(Math.Max(Begun, (int)step + 1));

    /// <summary>Whether people may say to go on without a step. What is proved and what keeps the past away may not be left out; of a database that is too broken to be backed up, the old data stays beside the new one.</summary>
    public static bool MaySkip(RestoreStep step) => step is RestoreStep.BackUp or RestoreStep.Rebuild or RestoreStep.CleanUp;

    private bool Has(RestoreStep step) => Begun > (int)step;
}
