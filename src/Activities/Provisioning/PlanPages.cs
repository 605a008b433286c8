using System.Text.Json;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Cuts a plan into pages that are small enough for a workflow's history.</summary>
internal static class PlanPages
{
    /// <summary>Bytes of JSON in a page; a payload is to stay below 100 KB.</summary>
    private const int Largest = 80_000;

    /// <summary>The page that begins after a step, or the first one. A single step that is larger than a page is a page of its own.</summary>
    /// <exception cref="ApplicationFailureException">The plan has no such step any more: the world or the specification has changed since the page before.</exception>
    public static PlanEnvironmentResult After(string? step, ProvisioningPlan plan, GuardRails guardRails)
    {
        var from = step is null ? 0 : plan.Components.ToList().FindIndex(component => component.Step == step) + 1;
        if (from == 0 && step is not null)
            throw new ApplicationFailureException(
                $"The plan for {plan.Environment} has no step {step} any more: the specification changed while the plan was read. Nothing was changed. Start again.",
                FailureTypes.SpecificationChanged, nonRetryable: true);
        var (page, size) = (new List<PlannedComponent>(), 0);
        foreach (var component in plan.Components.Skip(from))
        {
            size += JsonSerializer.SerializeToUtf8Bytes(component, PlatformOpsDataConverter.Json).Length;
            if (size > Largest && page.Count > 0)
                break;
            page.Add(component);
        }

        return new(plan with { Components = page }, guardRails, from + page.Count < plan.Components.Count ? page[^1].Step : null);
    }
}
