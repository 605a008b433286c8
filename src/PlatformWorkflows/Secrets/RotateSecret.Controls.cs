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
        ControlFields.Require("reason", given.Reason, "why it may lose the value that it has now");
        if (sight?.Seen.Consumers.Any(consumer => consumer.Name == given.Step) != true)
            throw FailureTypes.Invalid($"Field 'step': {given.Step} is no consumer of {request.Secret}. Possible: {Consumers()}.");
    }

    /// <summary>Once the previous value may be refused, there is only forward.</summary>
    private bool PointOfNoReturnPassed => revoked || Steps.Exists(step => step.Name == InWords(RotationStep.Revoke) && step.State != StepState.Pending);

    private string Consumers() => sight is { Seen.Consumers: { Count: > 0 } consumers } ? string.Join(", ", consumers.Select(consumer => consumer.Name)) : "none";
}
