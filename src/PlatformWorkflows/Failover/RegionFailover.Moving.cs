using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>How it is carried to another bootstrap cluster: it stands still, a run there begins with what it knows, and this one is ended.</summary>
public sealed partial class RegionFailover
{
    /// <summary>Who let it stand still; null: it watches.</summary>
    private string? suspended;

    /// <summary>What the next run begins with, here or at another cluster. It changes no more while the run stands still, but for alerts, which are repeated.</summary>
    [WorkflowQuery("carried")]
    public RegionFailoverRequest Carried() => request with
    {
        State = state with
        {
            Reports = [.. reports.Values],
            Alerts = [.. alerts.Values.TakeLast(500)],
            Undecided = news,
            RejectedHash = rejectedHash,
            RestartingSince = restartingSince,
            Asked = pending is { } open && recovering is null ? new(open.Proposal, open.Why, open.Needed, open.RequestedBy, open.ByPolicy, open.Since, open.Until, [.. approvals]) : null,
        },
    };

    /// <summary>Stands still: nothing is watched, and nothing fails over, until it is resumed. Refused in the middle of something.</summary>
    [WorkflowUpdate("suspend")]
    public Task<ControlResult> SuspendAsync(Input<SuspendInput>? input = null)
    {
        suspended = ControlFields.Given(input).By!;
        Watching.Cancel();
        EnterPhase(RunbookPhase.Suspended, $"{suspended} let it stand still: nobody watches {Environment}, and nothing fails over, until it is resumed here or begun elsewhere.");
        return Task.FromResult(new ControlResult($"It stands still. Nothing fails over in {Environment} until it is resumed."));
    }

    [WorkflowUpdateValidator(nameof(SuspendAsync))]
    public void ValidateSuspend(Input<SuspendInput>? input = null)
    {
        var given = ControlFields.Given(input);
        ControlFields.Require("by", given.By, "who lets it stand still, for whoever meets it");
        if (Drill)
            throw FailureTypes.Impossible("suspend is not possible: a drill ends by itself.");
        if (suspended is not null && suspended != given.By)
            throw FailureTypes.Impossible($"suspend is not possible: {suspended} let it stand still already. Possible: resume.");
        RequireIdle("suspend");
        if (pending is not null || restarting is not null)
            throw FailureTypes.Impossible($"suspend is not possible: {(pending is null ? "the database is being started again in its place. Try again." : "a decision waits for approval. Possible: approve, reject.")}");
    }

    /// <summary>Watches again.</summary>
    [WorkflowUpdate("resume")]
    public Task<ControlResult> ResumeAsync(Input<SuspendInput>? input = null)
    {
        suspended = null;
        return Task.FromResult(new ControlResult($"It watches {Environment} again."));
    }

    [WorkflowUpdateValidator(nameof(ResumeAsync))]
    public void ValidateResume(Input<SuspendInput>? input = null)
    {
        if (suspended is null)
            throw FailureTypes.Impossible("resume is not possible: it does not stand still.");
    }

    /// <summary>Until it is resumed; then it begins anew, as after any long time.</summary>
    private async Task StandStillAsync()
    {
        await Workflow.WaitConditionAsync(() => suspended is null || Workflow.CancellationToken.IsCancellationRequested, CancellationToken.None);
        if (suspended is null)
            await ContinueAsync();
    }

    private void RequireWatching(string control)
    {
        if (suspended is not null)
            throw FailureTypes.Impossible($"{control} is not possible: {suspended} let it stand still, so that it can be carried to another bootstrap cluster. Do it there, or after resume.");
    }
}
