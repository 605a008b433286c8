using System.Text.Json;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>Keeps a report small enough for a payload: what can be asked for by a query is left out first.</summary>
internal static class ReportSize
{
    /// <summary>Bytes of JSON; a payload is to stay below 100 KB.</summary>
    private const int Largest = 95_000;

    public static ProvisioningReport Fit(ProvisioningReport report)
    {
        if (Fits(report))
            return report;
        var withoutPlan = report with { Plan = null };
        return Fits(withoutPlan) ? withoutPlan : withoutPlan with { Objects = [] };
    }

    public static bool Fits<T>(T report) => JsonSerializer.SerializeToUtf8Bytes(report, PlatformOpsDataConverter.Json).Length <= Largest;
}
