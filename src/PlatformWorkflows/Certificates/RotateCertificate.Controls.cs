using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>What people may tell it. Every control is checked before it is taken: a refusal says what is possible.</summary>
public sealed partial class RotateCertificate
{
    private string? abortReason;
    private bool revoked;

    /// <summary>Ends the run where it is: nothing is revoked, and the next run goes on from there.</summary>
    [WorkflowUpdate("abort")]
    public Task<ControlResult> AbortAsync(Input<AbortInput>? input = null)
    {
        abortReason = ControlFields.Given(input).Reason;
        News = true;
        return Task.FromResult(new ControlResult("Aborting; no certificate is revoked."));
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
            throw FailureTypes.Impossible("abort is not possible: the old certificate is being revoked or is revoked already; start another rotation instead.");
        ControlFields.Require("reason", given.Reason, "why, for the report");
    }

    private protected override string Subject => request.Certificate;

    private protected override IEnumerable<string> Consumers => sight is not { Seen: { } seen } ? [] : CertificatePolicy.IsUnclaimed(seen) ? [ConsumerName.Nobody] : seen.Consumers.Select(consumer => consumer.Name);

    private protected override string SkippingMeans => "why its certificate may be revoked while it serves it";

    /// <summary>Once the old certificate may be revoked, there is only forward.</summary>
    private bool PointOfNoReturnPassed => revoked || Steps.Exists(step => step.Name == InWords(CertificateStep.Revoke) && step.State != StepState.Pending);
}
