namespace PlatformOps.BootstrapServer;

/// <summary>How much is too much. The numbers are the real server's defaults, so that what works here works there.</summary>
public sealed record ServerLimits
{
    /// <summary>Bytes of one payload: input, result, signal, failure.</summary>
    public int BlobBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Bytes of a run's memo.</summary>
    public int MemoBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Events of one run; one more terminates it.</summary>
    public int HistoryEvents { get; init; } = 51_200;

    /// <summary>Bytes of one run's history; more terminate it.</summary>
    public int HistoryBytes { get; init; } = 50 * 1024 * 1024;

    /// <summary>Events from which workflows are told to continue as new.</summary>
    public int SuggestAfterEvents { get; init; } = 4 * 1024;

    /// <summary>Bytes of history from which workflows are told to continue as new.</summary>
    public int SuggestAfterBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Activities of one run that have not ended.</summary>
    public int PendingActivities { get; init; } = 2_000;

    /// <summary>Children of one run that have not ended.</summary>
    public int PendingChildren { get; init; } = 2_000;

    /// <summary>Signals to other workflows that one run has on their way.</summary>
    public int PendingSignals { get; init; } = 2_000;

    /// <summary>Cancellations of other workflows that one run has on their way.</summary>
    public int PendingCancels { get; init; } = 2_000;

    /// <summary>Signals that one run takes in all.</summary>
    public int SignalsPerRun { get; init; } = 10_000;

    /// <summary>Updates of one run that are admitted or accepted and have not ended.</summary>
    public int UpdatesInFlight { get; init; } = 10;

    /// <summary>Updates of one run in all.</summary>
    public int UpdatesPerRun { get; init; } = 2_000;
}
