using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>What waits for people to say yes. An answer counts for the facts that were read, once for each person, for a while, and not for whoever asked.</summary>
public sealed partial class RegionFailover
{
    private readonly List<ApproveInput> approvals = [];
    private Pending? pending;
    private bool askedBefore;
    private string? rejection;
    private string? rejectedHash;

    /// <summary>The run before this one had asked, and the observers that began anew may not have found again what was asked about: that takes no answer away.</summary>
    private bool LookingAnew => askedBefore && Now < startedAt + settings!.Timing.AgainstRenewal + settings.Timing.FreshFor;

    /// <summary>The run before this one had asked.</summary>
    private void GoOnAsking()
    {
        rejectedHash = state.RejectedHash;
        restartingSince = state.RestartingSince;
        news |= state.Undecided;
        if (state.Asked is { } open)
        {
            askedBefore = true;
            pending = new(open.Proposal, open.Proposal.Hash, open.Why, open.Needed, open.RequestedBy, open.ByPolicy, open.Since, open.Until);
            approvals.AddRange(open.Approvals);
            EnterPhase(RunbookPhase.AwaitingApproval, open.Why);
        }

        state = state with { Asked = null, Undecided = false, RejectedHash = null, RestartingSince = null };
    }

    /// <summary>Asks for approval of what policy proposes, or begins what has been approved.</summary>
    /// <param name="requested">What policy would do with an approval now; null: nothing.</param>
    private void AskOrBegin(FailoverDecision.RequestApproval? requested)
    {
        if (Drill && requested is not null)
        {
            // Nobody is asked about a copy.
            Begin(requested.Proposal, requested.Reason, asked: false);
            return;
        }

        if (pending is { ByPolicy: true } known && (requested is null ? !LookingAnew : requested.Proposal.Hash != known.Proposal.Hash))
        {
            // Others facts: what was approved is not what would be done any more.
            pending = null;
            approvals.Clear();
        }

        if (pending is { } expired && expired.Until <= Now)
        {
            pending = null;
            approvals.Clear();
            // It is asked again when there is new evidence that asks for it.
            EnterPhase(RunbookPhase.Observing, $"Nobody approved within {Platform.Yaml.Units.Format(expired.Until - expired.Since)}: {expired.Why}");
            return;
        }

        if (pending is null && requested is not null && rejectedHash != requested.Proposal.Hash)
            Ask(requested.Proposal, requested.Reason, Math.Max(1, settings!.Approvals), requestedBy: null);
        if (pending is { } approved && approvals.Count >= approved.Needed && (requested is not null || !approved.ByPolicy))
            Begin(approved.Proposal, approved.Why, asked: !approved.ByPolicy);
    }

    private void Ask(FailoverProposal proposed, string reason, int needed, string? requestedBy)
    {
        approvals.Clear();
        pending = new(proposed, proposed.Hash, reason, needed, requestedBy, ByPolicy: requestedBy is null, Now, Now + settings!.Timing.ApprovalExpires);
        EnterPhase(RunbookPhase.AwaitingApproval, reason);
        TellCapacity();
    }

    /// <summary>The database serves already; whether everything else moves too is asked while it does.</summary>
    private async Task<bool> StackIsApprovedAsync()
    {
        if (Drill)
            return true;
        rejection = null;
        approvals.Clear();
        pending = new(
            proposal! with { Epoch = state.Epoch, Stack = StackMove.Moves }, (proposal! with { Epoch = state.Epoch, Stack = StackMove.Moves }).Hash,
            $"The database serves in {proposal!.To}. Nothing of {proposal.From} answers: namespaces and capacity would move too.", Math.Max(1, settings!.Approvals), null, ByPolicy: false, Now, Now + settings.Timing.ApprovalExpires);
        EnterPhase(RunbookPhase.AwaitingApproval, pending.Why);
        TellCapacity();
        var answered = await Workflow.WaitConditionAsync(() => rejection is not null || approvals.Count >= pending!.Needed, settings.Timing.ApprovalExpires, Acting.Token);
        var yes = answered && rejection is null;
        pending = null;
        approvals.Clear();
        EnterPhase(RunbookPhase.Acting, yes ? "The rest of the platform moves too." : rejection ?? "Nobody approved in time; the rest of the platform stays.");
        return yes;
    }

    /// <summary>Approves what the hash stands for.</summary>
    [WorkflowUpdate("approve")]
    public Task<ControlResult> ApproveAsync(Input<ApproveInput>? input = null)
    {
        approvals.Add(ControlFields.Given(input));
        news = true;
        var missing = pending!.Needed - approvals.Count;
        return Task.FromResult(new ControlResult(missing > 0 ? $"Approved; {missing} more needed." : "Approved; it begins."));
    }

    [WorkflowUpdateValidator(nameof(ApproveAsync))]
    public void ValidateApprove(Input<ApproveInput>? input = null)
    {
        var given = ControlFields.Given(input);
        var open = RequirePending("approve");
        if (approvals.Count >= open.Needed)
            throw FailureTypes.Impossible("It has been approved already.");
        ControlFields.Require("planHash", given.PlanHash, $"the hash of what you read; it is {open.Hash}");
        if (given.PlanHash != open.Hash)
            throw FailureTypes.Invalid($"Field 'planHash' is {given.PlanHash}, but what waits is {open.Hash}: {open.Why} Read it (query failover), then approve its hash.");
        ControlFields.Require("approvedBy", given.ApprovedBy, "who approves");
        if (given.ApprovedBy == open.RequestedBy)
            throw FailureTypes.Invalid($"Field 'approvedBy': {given.ApprovedBy} asked for it. Somebody else has to approve.");
        if (approvals.Exists(earlier => earlier.ApprovedBy == given.ApprovedBy))
            throw FailureTypes.Invalid($"Field 'approvedBy': {given.ApprovedBy} has already approved. Somebody else has to as well.");
    }

    /// <summary>Refuses it. The same facts are not asked about again.</summary>
    [WorkflowUpdate("reject")]
    public Task<ControlResult> RejectAsync(Input<RejectInput>? input = null)
    {
        var given = ControlFields.Given(input);
        rejection = $"Rejected{(given.RejectedBy is null ? "" : $" by {given.RejectedBy}")}: {given.Reason}.";
        if (recovering is null)
        {
            rejectedHash = pending!.Hash;
            pending = null;
            approvals.Clear();
            EnterPhase(RunbookPhase.Observing, rejection);
        }

        return Task.FromResult(new ControlResult("Rejected; nothing more is done about these facts unless somebody asks for it."));
    }

    [WorkflowUpdateValidator(nameof(RejectAsync))]
    public void ValidateReject(Input<RejectInput>? input = null)
    {
        var given = ControlFields.Given(input);
        RequirePending("reject");
        ControlFields.Require("reason", given.Reason, "why, for the report");
    }

    private Pending RequirePending(string control) =>
        pending ?? throw FailureTypes.Impossible($"{control} is not possible: nothing waits for approval. {Summary}");

    /// <param name="RequestedBy">Who asked for it; they cannot approve.</param>
    /// <param name="ByPolicy">Nobody asked: the evidence did, and may cease to.</param>
    private sealed record Pending(FailoverProposal Proposal, string Hash, string Why, int Needed, string? RequestedBy, bool ByPolicy, DateTimeOffset Since, DateTimeOffset Until);
}
