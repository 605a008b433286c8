using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Input of <c>ProvisionComponent</c> (workflow id <c>provision/{environment}/{component}@{region}</c>).</summary>
/// <param name="HealthyWithin">How long it may take to become healthy.</param>
/// <param name="Purpose">What the plan was made for.</param>
public sealed record ProvisionComponentInput(
    ComponentReference Reference, PlannedComponent Plan, TimeSpan HealthyWithin, PlanPurpose Purpose = PlanPurpose.Provision);

/// <summary>Result of <c>ProvisionComponent</c>, and first detail of its failure.</summary>
/// <param name="Health">What the health gates said; null when it did not come to them.</param>
public sealed record ProvisionedComponent(IReadOnlyList<ObjectOutcome> Objects, string? Health);

/// <summary>One component in one region: carry its part of the plan out, then wait until it is healthy. A child of the runbooks that carry a plan out.</summary>
[Workflow]
public sealed class ProvisionComponent
{
    private IReadOnlyList<ObjectOutcome> objects = [];

    [WorkflowRun]
    public async Task<ProvisionedComponent> RunAsync(ProvisionComponentInput input)
    {
        try
        {
            await ApplyAsync(input);
            var health = await AwaitHealthAsync(input);
            Workflow.CurrentDetails = $"Healthy. {health}";
            return new(objects, health);
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            Workflow.CurrentDetails = $"Failed. {FailureReason.Of(failure)}";
            throw new ApplicationFailureException(
                FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true,
                details: [new ProvisionedComponent(Known(failure), null)]);
        }
    }

    private async Task ApplyAsync(ProvisionComponentInput input)
    {
        var todo = input.Plan.Objects.Count(planned => planned.Action != PlannedAction.None);
        Workflow.CurrentDetails = todo == 0 ? "Nothing to change; verifying." : $"Applying {todo} of {input.Plan.Objects.Count} objects.";
        var applied = await Workflow.ExecuteActivityAsync(
            (IProvisioningActivities activities) => activities.ApplyComponentAsync(new(input.Reference, input.Plan, input.Purpose)),
            new()
            {
                Summary = $"Apply {input.Plan.Step} ({todo} changes)",
                // Some objects wait for what others tell: a managed database has its address after half an hour.
                StartToCloseTimeout = TimeSpan.FromHours(1),
                HeartbeatTimeout = TimeSpan.FromSeconds(30),
                // Six attempts are half a minute of trouble; after that a person should know.
                RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                // The rollback of an abort must not begin while something is still being applied.
                CancellationType = ActivityCancellationType.WaitCancellationCompleted,
            });
        objects = applied.Objects;
    }

    private async Task<string> AwaitHealthAsync(ProvisionComponentInput input)
    {
        Workflow.CurrentDetails = "Waiting until it is healthy.";
        var health = await Workflow.ExecuteActivityAsync(
            (IProvisioningActivities activities) => activities.AwaitHealthAsync(new(input.Reference, input.HealthyWithin)),
            new()
            {
                Summary = $"Health of {input.Plan.Step}",
                // The activity ends by itself at the deadline, with the reason; this is for when it cannot.
                ScheduleToCloseTimeout = input.HealthyWithin + TimeSpan.FromMinutes(2),
                HeartbeatTimeout = TimeSpan.FromSeconds(15),
                RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromSeconds(10), MaximumAttempts = 10 },
            });
        return health.Message;
    }

    /// <summary>What is known of the objects: what was applied, or the part that the failed attempt got done.</summary>
    private IReadOnlyList<ObjectOutcome> Known(ActivityFailureException failure) =>
        objects.Count > 0 ? objects : FailureReason.DetailOf<ComponentReport>(failure)?.Objects ?? [];
}
