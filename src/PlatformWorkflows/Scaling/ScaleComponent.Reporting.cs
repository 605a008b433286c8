using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Scaling;

/// <summary>What a run tells people while it goes on and at its end.</summary>
public sealed partial class ScaleComponent
{
    private protected override string AbortAnswer => ChangedAny ? $"Aborting; {(request?.InstanceClass is null ? "there" : "it")} will be {Before} again." : "Aborting; nothing was changed.";

    private protected override string? Next() => Phase switch
    {
        RunbookPhase.Observing => "The plan.",
        RunbookPhase.Planning => "Approval where the guard rails want it, then the change.",
        RunbookPhase.AwaitingApproval => "The change, when it has been approved.",
        RunbookPhase.Acting when request?.Until is not null => $"What was before, {Before}, when its time is over.",
        RunbookPhase.Acting when request?.InstanceClass is not null => "The report, when the database is available.",
        RunbookPhase.Acting => "The report, when all replicas are ready and the signals were watched.",
        RunbookPhase.Parked => "Whatever the operator decides.",
        RunbookPhase.RollingBack => "The report, when what was before is back.",
        _ => null,
    };

    private protected override string IfStoppedNow() => !ChangedAny || Ended
        ? "Nothing is half-done."
        : resized ? $"{(resizing ? $"RDS goes on making it {request!.InstanceClass}" : "The class stays as RDS has it")}{(request!.Until is null ? "" : $", and nobody would give it {Before} again: start the runbook for that class")}."
        : $"There are to be {set}{(request!.Until is null ? "" : $", and nobody would set {before} again: start the runbook for {before}")}.";

    private protected override IReadOnlyList<string> Compensations() => !ChangedAny || Ended ? [] : [$"Set {Before} again."];

    private protected override string PlanInWords() => request!.InstanceClass is { } wanted
        ? $"{request.Subject.Component} of {request.Subject.Region}: {wanted}{(request.Until is { } end ? $" until {Platform.Scaling.ScaleMarks.Text(end)}, then {Before} again" : "")}. {instance?.Decision.Why}"
        : ReplicasInWords();

    private string ReplicasInWords() => sight?.Plan?.Components[0].Objects[0] is { Changes: [var replicas, ..] } planned
        ? $"{request!.Subject.Component} of {request.Subject.Region}: from {replicas.From} to {replicas.To} replicas{(request.Until is { } until ? $" until {Platform.Scaling.ScaleMarks.Text(until)}" : "")}. {planned.Reason}"
        : $"{request!.Subject.Component} of {request.Subject.Region}: {sight?.Plan?.Components[0].Objects[0].Reason}";

    private ScaleReport End(RunbookPhase final, ScaleOutcome outcome, string why)
    {
        EnterPhase(final, why);
        return new()
        {
            Environment = Request.Environment,
            Component = request!.Subject.Component,
            Region = request.Subject.Region,
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = why,
            Reason = request.Reason,
            From = first?.Seen.Replicas,
            To = request.InstanceClass is null ? request.Replicas : null,
            FromClass = instance?.Decision.From,
            ToClass = request.InstanceClass,
            NowClass = request.InstanceClass is null ? null : classNow,
            Now = sight?.Seen.Replicas,
            Until = request.Until,
            Signals = [.. (first?.Subject.How?.Signals ?? []).Select(signal => new SignalChange(signal.Name, signal.Unit, signal.Target, Value(first, signal.Name), set is null ? null : Value(sight, signal.Name)))],
            PlanHash = CurrentPlan?.Hash,
            Steps = Steps?.All ?? [],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }

    private static double? Value(ScalingSight? seen, string signal) => seen?.Seen.Signals.FirstOrDefault(reading => reading.Name == signal)?.Value;
}
