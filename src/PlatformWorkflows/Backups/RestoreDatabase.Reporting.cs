using PlatformOps.Platform.Backups;

namespace PlatformOps.Workflows.Backups;

/// <summary>How it says where it stands.</summary>
public sealed partial class RestoreDatabase
{
    private protected override bool PointOfNoReturnPassed => progress.PointOfNoReturnPassed;

    private protected override IReadOnlyList<string> Compensations => Ended ? [] : [.. progress.Compensations.Select(InTheOrder)];

    private protected override string? WhyNoAbort => progress.PointOfNoReturnPassed
        ? Plan?.NewInstance is { Exchange: { } exchange } ? $"names are being exchanged, and clients may have written. To have the old back: what was {exchange.Instance} is {exchange.Kept}."
        : Plan?.NewInstance is { } made ? $"{made.Name} is proved and kept; remove it when nobody needs it."
        : $"the restored data is open, and clients may have written into it. To have the old back, restore {BackupBefore ?? "another set"}." : null;

    private protected override string AfterAbort => "the database serves the data that it had when it has ended";

    private protected override string LeftByStop => progress.Begun == 0 || Plan!.NewInstance is not null ? "Nothing was changed." : $"{Plan!.Node} serves the data that it had.";

    private protected override bool MaySkip(string step) => RestoreProgress.Steps.Any(known => InWords(known) == step && RestoreProgress.MaySkip(known));

    private static string InTheOrder(RestoreStep step) => step switch
    {
        RestoreStep.Reserve => "The set is claimed: retention leaves it alone.",
        RestoreStep.BackUp => "What is overwritten is backed up.",
        RestoreStep.Restore => "The set is restored beside the data; the database serves.",
        RestoreStep.Prove => "All of it is read, and what has to be in it and what must not is looked for.",
        RestoreStep.Fence => "The database is taken out of service, its standby too.",
        RestoreStep.Secure => "The restored data gets the logins and the epoch of today.",
        RestoreStep.Place => "The restored data takes the place of the old, which is kept beside it.",
        RestoreStep.Claim => "An epoch is claimed for the restored data.",
        RestoreStep.Open => "Clients get through.",
        RestoreStep.Verify => "A write through the clients' path is acknowledged.",
        RestoreStep.Rebuild => "The other node is made a standby of the restored data.",
        RestoreStep.CleanUp => "What was kept for the way back is removed.",
        RestoreStep.PutBack => "The old data is put back in its place.",
        RestoreStep.Unfence => "The database serves again as it did.",
        _ => "What was restored beside the data is removed.",
    };

    private protected override string PlanInWords() =>
        $"{Plan!.Store} of {Plan.Environment} would be restored from {Plan.Set} ({Plan.Label}) to {(Plan.Target is { } target ? $"{target:u}" : "the newest in the archive")}, on {Plan.Node}. {Plan.Why} {Plan.Lost} "
        + $"{(Plan.Estimate is { } estimate ? $"The last verification took {InWords(estimate)}." : "")} {string.Join(" ", Plan.Notes)}".Trim();

    private protected override (RestoreOutcome Outcome, string Summary) Judge(RestorePlan made) => (
        RestoreOutcome.Restored,
        made.NewInstance is { Exchange: { } exchange } ? $"{Request.Store} is restored from {made.Set}{(made.Target is { } then ? $" to {then:u}" : "")} and serves as {exchange.Instance}; it was out of service for {InWords((servesAt ?? Now) - (fencedAt ?? Now))} at most."
            + $"{(made.Overwrites ? $" What was there is {exchange.Kept}, and in {BackupBefore}." : "")} {beside}"
        : made.NewInstance is { } instance ? $"{Request.Store} is restored from {made.Set}{(made.Target is { } moment ? $" to {moment:u}" : "")}, as {instance.Name} in {instance.Region}; nothing was replaced, and nothing uses it yet. {beside}" : $"{Request.Store} is restored from {made.Set} to {(made.Target is { } target ? $"{target:u}" : "the newest in the archive")}, and serves in epoch {epoch}; it was out of service for {InWords((servesAt ?? Now) - (fencedAt ?? Now))}. "
        + $"{(BackupBefore is { } before ? $"What was overwritten is in {before}." : "")}{(ToRebuild is { } node ? $" {node} still has to be rebuilt." : "")}".Trim());

    private string? ToRebuild => Skipped.ContainsKey(InWords(RestoreStep.Rebuild)) ? Plan?.Standby : null;

    private protected override RestoreReport Report(RestoreOutcome outcome) =>
        new() { Epoch = outcome == RestoreOutcome.Restored && Plan!.NewInstance is null ? epoch : null, RestoreTook = took, OutOfService = servesAt - fencedAt, ToRebuild = ToRebuild };

    private protected override string IfStoppedNow() => Ended ? "Nothing is half-done." : Plan?.NewInstance is { } instance && progress.Begun > 0 ? Beside(instance) : (progress.Begun == 0 ? (RestoreStep?)null : (RestoreStep)(progress.Begun - 1)) switch
    {
        null => "Nothing has been changed.",
        < RestoreStep.Fence => "The database serves as before. Something may lie restored beside its data: start the runbook again with the same operationId, or abort that run.",
        < RestoreStep.Place => $"{Plan!.Node} is fenced and has the data that it had: start the runbook again with the same operationId, or unfence it with its guard's API.",
        < RestoreStep.Open => $"{Plan!.Node} is fenced and its data may be exchanged; the old is kept beside it. Start the runbook again with the same operationId.",
        < RestoreStep.Rebuild => "The restored data may be open and serve; the other node is fenced and follows nobody.",
        _ => "The restored data serves. The other node may not follow yet, and the old data may still lie beside the new.",
    };

    private string Beside(NewInstance instance) => instance.Exchange is { } exchange && progress.PointOfNoReturnPassed
        ? $"{exchange.Instance} may have no instance, or the restored one: {instance.Name} and {exchange.Kept} say which. Start the runbook again with the same operationId."
        : $"The database serves as before. {instance.Name} may be there in {instance.Region}, half made: start the runbook again with the same operationId, or abort that run.";
}
