using PlatformOps.Platform.Certificates;
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

    /// <summary>Goes on without the proof of a consumer, for which somebody answers.</summary>
    [WorkflowUpdate("skipStep")]
    public Task<ControlResult> SkipStepAsync(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        excused[given.Step!] = given.Reason!;
        News = true;
        return Task.FromResult(new ControlResult($"{given.Step} is not waited for any more; the report will say so."));
    }

    [WorkflowUpdateValidator(nameof(SkipStepAsync))]
    public void ValidateSkipStep(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (Ended)
            throw FailureTypes.Impossible("skipStep is not possible: the run has ended.");
        ControlFields.Require("step", given.Step, $"which consumer: {Consumers()}");
        ControlFields.Require("reason", given.Reason, "why its certificate may be revoked while it serves it");
        if (sight?.Seen.Consumers.Any(consumer => consumer.Name == given.Step) != true)
            throw FailureTypes.Invalid($"Field 'step': {given.Step} is no consumer of {request.Certificate}. Possible: {Consumers()}.");
    }

    /// <summary>Once the old certificate may be revoked, there is only forward.</summary>
    private bool PointOfNoReturnPassed => revoked || Steps.Exists(step => step.Name == InWords(CertificateStep.Revoke) && step.State != StepState.Pending);

    private string Consumers() => sight is { Seen.Consumers: { Count: > 0 } consumers } ? string.Join(", ", consumers.Select(consumer => consumer.Name)) : "none";
}
