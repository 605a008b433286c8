using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Secrets;

/// <summary>What people may tell it. Every control is checked before it is taken: a refusal says what is possible.</summary>
public sealed partial class RotateSecret
{
    private string? abortReason;
    private bool returning, withdrawn, revoked;

    /// <summary>Gives the rotation up: what was handed out is taken back.</summary>
    [WorkflowUpdate("abort")]
    public Task<ControlResult> AbortAsync(Input<AbortInput>? input = null)
    {
        abortReason = ControlFields.Given(input).Reason;
        News = true;
        return Task.FromResult(new ControlResult("Aborting; consumers have the value of before when it has ended."));
    }

    [WorkflowUpdateValidator(nameof(AbortAsync))]
    public void ValidateAbort(Input<AbortInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (Ended)
            throw FailureTypes.Impossible("abort is not possible: the run has ended.");
        if (abortReason is not null)
            throw FailureTypes.Impossible("abort is not possible: it is being aborted already.");
        if (PointOfNoReturnPassed)
            throw FailureTypes.Impossible("abort is not possible: the previous value is being revoked or is revoked already; start another rotation instead.");
        ControlFields.Require("reason", given.Reason, "why, for the report");
    }

    private protected override string Subject => request.Secret;

    private protected override IEnumerable<string> Consumers => sight is not { Seen: { } seen } ? []
        : [.. seen.Consumers.Select(consumer => consumer.Name), .. RotationPolicy.IsUnclaimed(seen) ? (string[])[ConsumerName.Nobody] : []];

    private protected override string SkippingMeans => "why it may lose the value that it has now";

    /// <summary>Once the previous value may be refused, there is only forward.</summary>
    private bool PointOfNoReturnPassed => revoked || Steps.Exists(step => step.Name == InWords(RotationStep.Revoke) && step.State != StepState.Pending);
}
