using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Failover;

/// <summary>Whether the standby becomes primary. The lease makes that safe; these rules make it right.</summary>
public static class FailoverRules
{
    /// <summary>Decides by what is known at this moment.</summary>
    public static FailoverDecision Decide(FailoverFacts facts)
    {
        var quorum = facts.Quorum;
        if (facts.Recovery is { Running: true, Promoted: false } running)
            return Running(running);
        if (!quorum.SaysDown)
            return facts.Recovery is { Running: true } recovery ? Running(recovery) : NotDown(facts, quorum);
        if (NoFailover(facts, quorum) is { } reason)
            return RestartInstead(facts, quorum, reason) ?? reason;
        var (last, lastAt) = facts.LastOfPrimary();
        var loss = LossEstimate.Of(last, lastAt, facts.StandbyNow()!);
        return RestartFirst(facts, quorum, loss) ?? Propose(facts, quorum, loss);
    }

    private static FailoverDecision.Wait Running(OpenRecovery running) =>
        new(FailoverReason.RecoveryRunning, $"{running.OperationId} is running. It blocks another failover until it has ended, however long that takes.");

    private static FailoverDecision.Wait NotDown(FailoverFacts facts, Quorum quorum) => quorum switch
    {
        { Down: 0, Up: >= Quorum.Needed } when facts.Alerts.Count == 0 => new(FailoverReason.Healthy, $"{facts.Primary} serves."),
        { Down: 0 } when facts.Alerts.Count > 0 =>
            new(FailoverReason.AlertAlone, $"{string.Join(", ", facts.Alerts)} fires, and no observer finds the same ({quorum.InWords}). An alert alone moves nothing."),
        _ => new(FailoverReason.NoQuorum, $"{quorum.Down} of {quorum.Votes.Count} sources say that {facts.Primary} is down, {Quorum.Needed} have to ({quorum.InWords})."),
    };

    /// <summary>Why nobody can or may be promoted although the primary is down; null: somebody can.</summary>
    private static FailoverDecision? NoFailover(FailoverFacts facts, Quorum quorum) => facts switch
    {
        _ when quorum.Lease is null =>
            new FailoverDecision.Wait(FailoverReason.WitnessUnknown, $"{facts.Primary} is down ({quorum.InWords}), but no epoch can be claimed while the witness does not answer."),
        _ when quorum.Lease.Epoch != facts.Epoch || quorum.Lease.Primary != facts.Primary =>
            new FailoverDecision.Wait(FailoverReason.EpochMoved, $"The witness is in epoch {quorum.Lease.Epoch} and names {quorum.Lease.Primary}; this was decided for epoch {facts.Epoch} of {facts.Primary}. Looking again."),
        { Maintenance: { } maintenance } when maintenance.Until > facts.Now =>
            new FailoverDecision.Refuse(FailoverReason.Maintenance, $"{facts.Primary} is down ({quorum.InWords}), in a maintenance that is open until {maintenance.Until:u}: {maintenance.Reason}. Close it, or ask for the failover."),
        { Recovery: { Running: true } running } => Running(running),
        { Recovery: { } open } =>
            new FailoverDecision.Refuse(FailoverReason.Unacknowledged, $"{facts.Primary} is down ({quorum.InWords}), and nobody has acknowledged {open.OperationId} of {open.Since:u}. Find out why it happened again, then acknowledge it or ask for the failover."),
        { Policy.Database: FailoverMode.Off } =>
            new FailoverDecision.Refuse(FailoverReason.SwitchedOff, $"{facts.Primary} is down ({quorum.InWords}); failover of {facts.Environment} is off in its specification. Ask for it, or repair the primary."),
        _ when facts.StandbyNow() is null =>
            new FailoverDecision.Wait(FailoverReason.StandbyUnknown, $"{facts.Primary} is down ({quorum.InWords}), and nobody can tell how {facts.Standby} is. Unknown is not good enough to promote."),
        _ when Unfit(facts.LastOfPrimary().Node, facts.StandbyNow()!) is { } unfit =>
            new FailoverDecision.Refuse(FailoverReason.StandbyUnfit, $"{facts.Primary} is down ({quorum.InWords}), and {facts.Standby} cannot take its place: {unfit}"),
        _ => null,
    };

    /// <summary>Where nobody can take its place, a server that merely stopped is started again; in a maintenance somebody may have stopped it on purpose.</summary>
    private static FailoverDecision.RestartInPlace? RestartInstead(FailoverFacts facts, Quorum quorum, FailoverDecision reason) =>
        !Stopped(facts, quorum) || reason.Code is FailoverReason.Maintenance or FailoverReason.WitnessUnknown or FailoverReason.EpochMoved ? null : new(
            FailoverReason.RestartInstead, $"{facts.Primary} has stopped and its guard answers. It is started again where it is, because nothing else may be done: {reason.Reason}", facts.Now + facts.Timing.RestartInPlace);

    private static string? Unfit(DatabaseNode? primary, DatabaseNode standby) => standby switch
    {
        { Role: not NodeRole.Standby } => $"it is {standby.Role.ToString().ToLowerInvariant()}, not a standby.",
        { Trouble: { } trouble } => trouble,
        _ when primary?.Timeline is { } timeline && standby.Timeline is { } its && its != timeline => $"it is on timeline {its}, the primary was on {timeline}.",
        _ => null,
    };

    /// <summary>A server that merely stopped is started again where that costs less than what its standby lacks.</summary>
    private static FailoverDecision.RestartInPlace? RestartFirst(FailoverFacts facts, Quorum quorum, LossEstimate loss)
    {
        var until = (facts.RestartingSince ?? facts.Now) + facts.Timing.RestartInPlace;
        var worthIt = !loss.Nothing || facts.Policy.Database == FailoverMode.Approval;
        return !(Stopped(facts, quorum) || Starting(facts)) || !worthIt || facts.Now >= until ? null : new(
            FailoverReason.RestartFirst, $"{facts.Primary} has stopped and its guard answers; {(loss.Nothing ? "a failover would need approval" : $"{facts.Standby} may lack something")}. It is started again where it is, until {until:HH:mm:ss} UTC. {loss.InWords}", until);
    }

    /// <summary>Its guard answers, and says that its server has stopped: in so many words, or by having given the lease back, which some hear first.</summary>
    private static bool Stopped(FailoverFacts facts, Quorum quorum) =>
        facts.OneHeardIsEnough ? quorum.FencedBySomebody || (quorum.Lease is { Lease.Released: true } && GuardAnswers(facts)) : quorum.Fenced;

    /// <summary>It was told to start again, and its guard answers: until it has taken its lease it is neither fenced nor serving, and would look lost.</summary>
    private static bool Starting(FailoverFacts facts) => facts is { OneHeardIsEnough: true, RestartingSince: not null } && GuardAnswers(facts);

    private static bool GuardAnswers(FailoverFacts facts) => facts.Reports.Any(report => facts.Now - report.ReceivedAt <= facts.Timing.FreshFor && report.Of(facts.Primary)?.Node is not null);

    private static FailoverDecision Propose(FailoverFacts facts, Quorum quorum, LossEstimate loss)
    {
        var lost = facts.RegionLost();
        var proposal = new FailoverProposal
        {
            Environment = facts.Environment,
            Kind = FailoverKind.Failover,
            From = facts.Primary,
            To = facts.Standby,
            Epoch = facts.Epoch,
            Stack = !lost ? StackMove.Stays : facts.Policy.FullStack switch
            {
                FailoverMode.Automatic => StackMove.Moves,
                FailoverMode.Approval => StackMove.AfterApproval,
                _ => StackMove.Stays,
            },
            Fenced = quorum.Fenced,
            StalledSequence = quorum.Votes.Any(vote => vote is { Source: Quorum.Witness, Verdict: Verdict.Down }) ? quorum.Lease?.Lease?.Sequence : null,
            Loss = loss,
        };
        var why = $"{facts.Primary} is down ({quorum.InWords}){(lost ? ", and nothing of its region answers" : "")}. {loss.InWords}";
        if (facts.Policy.Database == FailoverMode.Approval)
            return new FailoverDecision.RequestApproval(FailoverReason.ApprovalNeeded, why, proposal);
        // An unknown loss is no small one.
        if (!loss.Nothing && (loss.Duration is not { } time || time > facts.Policy.Rpo))
            return new FailoverDecision.RequestApproval(
                FailoverReason.LossAboveObjective, $"{why} The objective is {Yaml.Units.Format(facts.Policy.Rpo)}; whether that is given up is for people to decide.", proposal);
        return new FailoverDecision.FailOverDatabase(quorum.Fenced ? FailoverReason.PrimaryFenced : FailoverReason.PrimaryLost, why, proposal);
    }
}
