using System.Security.Cryptography;
using System.Text;

namespace PlatformOps.Platform.Bootstrap;

/// <summary>How the standing work of a bootstrap cluster is moved to another one: from whatever is found, the one next step. Nothing else remembers how far a move has come,
/// so that any command on any machine goes on with it.</summary>
/// <remarks>
/// What holds at every moment:
/// the source's record alone says which of the two is active; workers never take work from both; no schedule runs in both; a schedule or run leaves the source only when the target has it
/// and the source has handed over.
/// </remarks>
public static class PivotRules
{
    /// <summary>Which of the two is active. There is always exactly one: also while nobody takes work, and while a move is under way.</summary>
    public static PivotSide Active(BootstrapRecord? source) => source?.Role == BootstrapRole.HandedOver ? PivotSide.Target : PivotSide.Source;

    /// <summary>The attempt that is under way between the two, or would be the next one.</summary>
    public static string PivotId(BootstrapSight source, BootstrapSight target) => source.Says is { PivotId: { } known, Next: > 0 } ? known : Name(source, target, NextEpoch(source, target));

    /// <summary>The next step.</summary>
    public static PivotDecision Decide(PivotFacts facts) => Impossible(facts) ?? (facts.Direction == PivotDirection.Forward ? Forward(facts) : Back(facts));

    /// <summary>All steps from here, as long as nobody changes anything and everything succeeds; and what stands at their end.</summary>
    public static (IReadOnlyList<PivotStep> Steps, PivotDecision End) Plan(PivotFacts facts)
    {
        var steps = new List<PivotStep>();
        for (var now = facts with { Unchanged = TimeSpan.MaxValue }; ; now = PivotOutlook.After(steps[^1], now))
        {
            if (Decide(now) is not PivotDecision.Act { Step: var step })
                return (steps, Decide(now));
            steps.Add(step);
        }
    }

    private static PivotDecision.Refuse? Impossible(PivotFacts facts)
    {
        var (source, target) = (facts.Source, facts.Target);
        if (source.NamespaceId is null)
            return new($"{source.Name} does not exist.", "Set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE to the cluster whose work is to be moved.");
        if (source.NamespaceId == target.NamespaceId)
            return new($"{source.Name} and {target.Name} are the same namespace of the same cluster.", "Name another target with --to and --to-namespace.");
        if (facts.Contradictions.Count > 0)
            return new($"{target.Name} has what cannot become as the source has it: {string.Join(", ", facts.Contradictions)}.", "Choose another namespace with --to-namespace.");
        // An attempt belongs to two clusters: its id says to which.
        return source.Says is { Role: BootstrapRole.HandingOver or BootstrapRole.Returning or BootstrapRole.HandedOver } record && record.PivotId != Name(source, target, record.Next)
            ? record.Role == BootstrapRole.HandedOver
                ? new($"{source.Name} is not active: its work was moved to {record.Peer} in epoch {record.Epoch}.", $"Move it on from there: TEMPORAL_ADDRESS of {record.Peer}.")
                : new($"{source.Name} is being moved to {record.Peer} ({record.PivotId}).", "Name that one as the target to go on, or to take it back with --abort.")
            : null;
    }

    private static PivotDecision Forward(PivotFacts facts) => facts.Source.Says.Role switch
    {
        BootstrapRole.Active => Begin(facts),
        BootstrapRole.HandingOver => Carry(facts),
        BootstrapRole.HandedOver => Finish(facts),
        BootstrapRole.Returning => new PivotDecision.Refuse($"The move {facts.Source.Says.PivotId} is being taken back.", "End that first, with --abort."),
        _ => new PivotDecision.Refuse($"{facts.Source.Name} is not active: it expects the work of {facts.Source.Says.Peer}.", "End that move first."),
    };

    private static PivotDecision Begin(PivotFacts facts)
    {
        var (source, target) = (facts.Source, facts.Target);
        var id = PivotId(source, target);
        switch (target.Record)
        {
            case { Role: BootstrapRole.Expecting } expecting when expecting.PivotId == id:
                return new PivotDecision.Act(new PivotStep.Write(
                    PivotSide.Source, new(BootstrapRole.HandingOver, source.Says.Epoch, id, expecting.Next, target.Name)));
            case { Role: BootstrapRole.Expecting } expecting when IsVoid(expecting, source, target):
                return CleanTarget(facts);
            case { Role: BootstrapRole.Expecting } expecting:
                return new PivotDecision.Refuse($"{target.Name} expects the work of {expecting.Peer}.", "End that move first, or choose another target.");
            case { TakesWork: true } active:
                return new PivotDecision.Refuse($"{target.Name} is an active bootstrap cluster itself, in epoch {active.Epoch}.", "Choose another target: work of two clusters cannot be merged.");
            default:
                break;
        }

        if (target.Work.Count > 0)
            return new PivotDecision.Refuse($"{target.Name} has work of its own: {List(target.Work)}.", "Remove it there, or choose another namespace with --to-namespace: work of two clusters cannot be merged.");
        if (source.Passing.Count > 0)
            return Unended(source);
        if (facts.Missing.Count > 0)
            return new PivotDecision.Act(new PivotStep.Prepare(facts.Missing));
        var next = NextEpoch(source, target);
        return new PivotDecision.Act(new PivotStep.Write(
            PivotSide.Target, new(BootstrapRole.Expecting, target.Record?.Epoch ?? 0, id, next, source.Name, Fresh: target.Record is null)));
    }

    /// <summary>The source is closed: everything goes to the target, and nothing runs there yet.</summary>
    private static PivotDecision Carry(PivotFacts facts)
    {
        var (source, target, id) = (facts.Source, facts.Target, facts.Source.Says.PivotId!);
        if (target.Record is not { Role: BootstrapRole.Expecting } || target.Record.PivotId != id)
            return new PivotDecision.Refuse($"{target.Name} does not expect the work of {id} any more.", "Take the move back with --abort, and begin again.");
        if (source.Schedules.FirstOrDefault(schedule => schedule.Mark?.PivotId != id) is { } free)
            return new PivotDecision.Act(new PivotStep.Hold(free.Id, new(id, free.Mark?.Runs ?? !free.Paused)));
        if (source.Passing.Count > 0)
            return Unended(source);
        if (source.Standing.FirstOrDefault(run => !run.Suspended) is { } going)
            return new PivotDecision.Act(new PivotStep.Suspend(going));
        if (facts.Missing.Count > 0)
            return new PivotDecision.Act(new PivotStep.Prepare(facts.Missing));
        if (target.Schedules.FirstOrDefault(schedule => schedule.Mark?.PivotId != id) is { } foreign)
            return Foreign($"schedule {foreign.Id}", target);
        if (target.Standing.FirstOrDefault(run => run.MovedBy != id)?.Id is { } stranger)
            return Foreign($"run {stranger}", target);
        if (target.Passing is [var passing, ..])
            return Foreign($"run {passing}", target);
        if (source.Schedules.FirstOrDefault(schedule => target.Schedules.All(copy => copy.Id != schedule.Id)) is { } left)
            return new PivotDecision.Act(new PivotStep.CopySchedule(left.Id));
        if (target.Schedules.FirstOrDefault(copy => source.Schedules.All(schedule => schedule.Id != copy.Id)) is { } removed)
            return new PivotDecision.Act(new PivotStep.Remove(PivotSide.Target, removed));
        if (source.Standing.FirstOrDefault(run => target.Standing.All(copy => copy.Id != run.Id)) is { } alone)
            return new PivotDecision.Act(new PivotStep.CopyRun(alone));
        if (target.Standing.FirstOrDefault(copy => source.Standing.All(run => run.Id != copy.Id)) is { } ended)
            return new PivotDecision.Act(new PivotStep.End(PivotSide.Target, ended));
        return facts.Unchanged < facts.Timing.Settled
            ? new PivotDecision.Settle(facts.Timing.Settled, "whether something was started at the source meanwhile")
            : new PivotDecision.Act(new PivotStep.Write(PivotSide.Source, source.Says with { Role = BootstrapRole.HandedOver, Epoch = source.Says.Next, Since = source.RecordedAt }));
    }

    /// <summary>The source has handed over: only forward.</summary>
    private static PivotDecision Finish(PivotFacts facts)
    {
        var (source, target, record) = (facts.Source, facts.Target, facts.Source.Says);
        if (target.Record is null || (target.Record.Role == BootstrapRole.Expecting && target.Record.PivotId == record.PivotId))
        {
            return facts.Unchanged < facts.Timing.WorkersGone
                ? new PivotDecision.Settle(facts.Timing.WorkersGone, "until no worker takes anything from the source any more")
                : new PivotDecision.Act(new PivotStep.Write(PivotSide.Target, new(BootstrapRole.Active, record.Epoch, record.PivotId, Peer: source.Name)));
        }

        if (target.Schedules.FirstOrDefault(schedule => schedule.Mark?.PivotId == record.PivotId) is { } held)
            return new PivotDecision.Act(new PivotStep.Release(PivotSide.Target, held, record.Since));
        if (source.Schedules.FirstOrDefault(schedule => schedule.Mark?.PivotId == record.PivotId) is { } moved)
            return new PivotDecision.Act(new PivotStep.Remove(PivotSide.Source, moved));
        if (source.Standing.FirstOrDefault(run => run.Suspended) is { } suspended)
            return new PivotDecision.Act(new PivotStep.End(PivotSide.Source, suspended));
        return source.Work.Count > 0
            ? new PivotDecision.Wait($"{target.Name} is active; at {source.Name} there is what somebody began there after it had handed over, and nobody carries out. Begin it at the target and remove it there.", source.Work)
            : new PivotDecision.Done($"{target.Name} is active in epoch {target.Says.Epoch}; nothing is left at {source.Name} but the note that says so.");
    }

    private static PivotDecision Back(PivotFacts facts)
    {
        var (source, target) = (facts.Source, facts.Target);
        switch (source.Says.Role)
        {
            case BootstrapRole.HandedOver:
                return new PivotDecision.Refuse($"{source.Name} has handed over: there is no way back.", "Finish the move without --abort; then move the work the other way if it has to be there.");
            case BootstrapRole.HandingOver:
                return new PivotDecision.Act(new PivotStep.Write(PivotSide.Source, source.Says with { Role = BootstrapRole.Returning, Since = source.RecordedAt }));
            case BootstrapRole.Expecting:
                return new PivotDecision.Refuse($"{source.Name} is the target of a move from {source.Says.Peer}.", $"Run this with TEMPORAL_ADDRESS of {source.Says.Peer}, and this one as --to.");
            case BootstrapRole.Returning when source.Standing.FirstOrDefault(run => run.Suspended) is { } suspended:
                return new PivotDecision.Act(new PivotStep.Resume(suspended));
            case BootstrapRole.Returning when source.Schedules.FirstOrDefault(schedule => schedule.Mark?.PivotId == source.Says.PivotId) is { } held:
                return new PivotDecision.Act(new PivotStep.Release(PivotSide.Source, held, source.Says.Since));
            case BootstrapRole.Returning:
                // A further epoch: whoever still carries this attempt out learns that it is over.
                return new PivotDecision.Act(new PivotStep.Write(PivotSide.Source, new(BootstrapRole.Active, source.Says.Next)));
            default:
                return target.Record is { Role: BootstrapRole.Expecting } expecting && (IsVoid(expecting, source, target) || expecting.PivotId == PivotId(source, target))
                    ? CleanTarget(facts)
                    : new PivotDecision.Done($"{source.Name} is active in epoch {source.Says.Epoch}; no move from it is under way.");
        }
    }

    private static PivotDecision.Act CleanTarget(PivotFacts facts)
    {
        var (target, expecting) = (facts.Target, facts.Target.Record!);
        if (target.Schedules.FirstOrDefault(schedule => schedule.Mark?.PivotId == expecting.PivotId) is { } copy)
            return new(new PivotStep.Remove(PivotSide.Target, copy));
        if (target.Standing.FirstOrDefault(run => run.MovedBy == expecting.PivotId) is { } started)
            return new(new PivotStep.End(PivotSide.Target, started));
        return new(new PivotStep.Write(PivotSide.Target, expecting.Fresh ? null : new(BootstrapRole.HandedOver, expecting.Epoch, Peer: facts.Source.Name)));
    }

    /// <summary>The target waits for an attempt between these two that was taken back.</summary>
    private static bool IsVoid(BootstrapRecord expecting, BootstrapSight source, BootstrapSight target) =>
        expecting.Next <= source.Says.Epoch && expecting.PivotId == Name(source, target, expecting.Next);

    private static PivotDecision.Wait Unended(BootstrapSight source) =>
        new($"Runs at {source.Name} have not ended. Their histories cannot be moved: let them end, or end them.", source.Passing);

    private static PivotDecision.Refuse Foreign(string what, BootstrapSight target) =>
        new($"{target.Name} has {what}, which this move has not brought there.", "Remove it there (nobody has carried anything out for it), or take the move back with --abort.");

    private static long NextEpoch(BootstrapSight source, BootstrapSight target) =>
        target.Record is { Role: BootstrapRole.Expecting } expecting && expecting.Next > source.Says.Epoch ? expecting.Next : Math.Max(source.Says.Epoch, target.Record?.Epoch ?? 0) + 1;

    private static string Name(BootstrapSight source, BootstrapSight target, long epoch) =>
        $"pivot-{epoch}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{source.NamespaceId}>{target.NamespaceId}")))[..8]}";

    private static string List(IReadOnlyList<string> names) => names.Count <= 5 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(5))} and {names.Count - 5} more";
}
