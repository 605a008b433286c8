using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>What people may tell it. Every control is checked before it is taken: a refusal says what is possible.</summary>
public sealed partial class RotateCertificateAuthority
{
    private string because = "";

    /// <summary>Everything goes back to the old root.</summary>
    [WorkflowUpdate("abort")]
    public Task<ControlResult> AbortAsync(Input<AbortInput>? input = null)
    {
        Return($"aborted: {ControlFields.Given(input).Reason}.");
        News = true;
        return Task.FromResult(new ControlResult("Going back; the old root signs and nobody trusts the new one when it has ended."));
    }

    [WorkflowUpdateValidator(nameof(AbortAsync))]
    public void ValidateAbort(Input<AbortInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (Ended)
            throw FailureTypes.Impossible("abort is not possible: the run has ended.");
        if (returning)
            throw FailureTypes.Impossible("abort is not possible: it is going back already.");
        if (PointOfNoReturnPassed)
            throw FailureTypes.Impossible("abort is not possible: the old root is being dropped or is dropped already; start another rotation instead.");
        ControlFields.Require("reason", given.Reason, "why, for the report");
    }

    private protected override string Subject => request.Authority;

    private protected override IEnumerable<string> Consumers => (sight?.Seen.Consumers ?? []).Select(consumer => consumer.Name);

    private protected override string SkippingMeans => "why it may trust the wrong root";

    /// <summary>Once trust in the old root may be dropped, there is only forward.</summary>
    private bool PointOfNoReturnPassed => !returning && Steps.Exists(step => step.Name == Drop && step.State != StepState.Pending && decision?.Step != AuthorityStep.Settle);
}
