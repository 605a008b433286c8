using System.Text;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>A plan as case folders write it.</summary>
internal static class PlanText
{
    public static string Of(ProvisioningPlan plan)
    {
        var text = new StringBuilder();
        foreach (var component in plan.Components)
        {
            text.Append(component.Step).AppendLine(component.DependsOn.Count == 0 ? "" : $" after {string.Join(", ", component.DependsOn)}");
            foreach (var planned in component.Objects)
            {
                text.AppendLine($"  {planned.Action.ToString().ToLowerInvariant()} {planned.Address.Kind} {planned.Address.Name}: {planned.Reason}");
                foreach (var change in planned.Changes)
                    text.AppendLine($"    {change.Path}: {change.From ?? "(absent)"} -> {change.To ?? "(removed)"}");
            }
        }

        return text.ToString().Trim();
    }
}
