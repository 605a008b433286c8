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
        ControlFields.Require("reason", given.Reason, "why it may trust the wrong root");
        if (sight?.Seen.Consumers.Any(consumer => consumer.Name == given.Step) != true)
            throw FailureTypes.Invalid($"Field 'step': {given.Step} does not use {request.Authority}. Possible: {Consumers()}.");
    }

    /// <summary>Once trust in the old root may be dropped, there is only forward.</summary>
    private bool PointOfNoReturnPassed => !returning && Steps.Exists(step => step.Name == Drop && step.State != StepState.Pending && decision?.Step != AuthorityStep.Settle);

    private string Consumers() => sight is { Seen.Consumers: { Count: > 0 } consumers } ? string.Join(", ", consumers.Select(consumer => consumer.Name)) : "none";
}
