namespace PlatformOps.Platform.Failover;

/// <summary>What is to be done about the primary, and why.</summary>
/// <param name="Code">For programs.</param>
/// <param name="Reason">For people.</param>
public abstract record FailoverDecision(FailoverReason Code, string Reason)
{
    /// <summary>Nothing now; new evidence may change it.</summary>
    public sealed record Wait(FailoverReason Code, string Reason) : FailoverDecision(Code, Reason);

    /// <summary>The primary is down, and nothing may be done by itself; a person has to.</summary>
    public sealed record Refuse(FailoverReason Code, string Reason) : FailoverDecision(Code, Reason);

    /// <summary>Start the stopped server again where it is.</summary>
    /// <param name="Until">When that has been tried for long enough.</param>
    public sealed record RestartInPlace(FailoverReason Code, string Reason, DateTimeOffset Until) : FailoverDecision(Code, Reason);

    /// <summary>Make the standby primary.</summary>
    public sealed record FailOverDatabase(FailoverReason Code, string Reason, FailoverProposal Proposal) : FailoverDecision(Code, Reason);

    /// <summary>The same, after people have approved <see cref="FailoverProposal.Hash"/>.</summary>
    public sealed record RequestApproval(FailoverReason Code, string Reason, FailoverProposal Proposal) : FailoverDecision(Code, Reason);
}

/// <summary>Why a decision is what it is.</summary>
public enum FailoverReason
{
    Healthy,
    NoQuorum,
    AlertAlone,
    RecoveryRunning,
    Unacknowledged,
    Maintenance,
    SwitchedOff,
    WitnessUnknown,
    EpochMoved,
    StandbyUnknown,
    StandbyUnfit,
    RestartFirst,
    RestartInstead,
    PrimaryFenced,
    PrimaryLost,
    LossAboveObjective,
    ApprovalNeeded,
}
