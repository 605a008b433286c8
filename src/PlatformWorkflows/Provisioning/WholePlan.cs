using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Gets a plan page by page: the plan of a large environment is more than one payload should hold.</summary>
internal static class WholePlan
{
    /// <summary>How often the pages are read anew because the world changed between two of them.</summary>
    private const int Readings = 5;

    /// <summary>Reads the specification, looks at every region and plans. Changes nothing.</summary>
    /// <exception cref="ApplicationFailureException">The world does not hold still for as long as its plan is read.</exception>
    public static async Task<(ProvisioningPlan Plan, GuardRails GuardRails)> ReadAsync(PlanEnvironmentInput wanted, CancellationToken cancellationToken)
    {
        for (var reading = 1; reading <= Readings; reading++)
        {
            if (await ReadOnceAsync(wanted, cancellationToken) is { } whole)
                return whole;
        }

        throw new ApplicationFailureException(
            $"While the plan for {wanted.Environment} was read page by page, what it relies on changed {Readings} times. Nothing was changed. "
            + "Find out who is changing the platform, or provision it in parts (field 'components'); then start again.",
            FailureTypes.FactsChanged, nonRetryable: true);
    }

    /// <summary>Null when two pages are of different plans.</summary>
    private static async Task<(ProvisioningPlan Plan, GuardRails GuardRails)?> ReadOnceAsync(PlanEnvironmentInput wanted, CancellationToken cancellationToken)
    {
        var first = await ReadPageAsync(wanted, cancellationToken);
        var steps = first.Plan.Components.ToList();
        for (var page = first; page.More is not null;)
        {
            page = await ReadPageAsync(wanted with { After = page.More }, cancellationToken);
            if (page.Plan.Hash != first.Plan.Hash)
                return null;
            steps.AddRange(page.Plan.Components);
        }

        return (first.Plan with { Components = steps }, first.GuardRails);
    }

    private static Task<PlanEnvironmentResult> ReadPageAsync(PlanEnvironmentInput input, CancellationToken cancellationToken) =>
        Workflow.ExecuteActivityAsync(
            (IProvisioningActivities activities) => activities.PlanEnvironmentAsync(input),
            new()
            {
                Summary = $"Observe and plan {input.Environment}{(input.After is null ? "" : $", after {input.After}")}",
                StartToCloseTimeout = TimeSpan.FromMinutes(5),
                RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                CancellationToken = cancellationToken,
            });
}
