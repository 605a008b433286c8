using PlatformOps.Workflows.Certificates;
using Temporalio.Common;

namespace PlatformOps.Activities.Certificates;

/// <summary>What every look at the certificates leaves as metrics of the worker. Names and labels are public: alert rules go by them.</summary>
internal static class CertificateMetrics
{
    public static void Record(MetricMeter meter, IEnumerable<FoundCertificate> certificates)
    {
        var ends = meter.CreateGauge<long>("platformops_certificate_not_after_seconds", "s", "Until when a certificate is valid, in seconds since 1970.");
        var dues = meter.CreateGauge<long>("platformops_certificate_due_seconds", "s", "When a certificate that PlatformOps renews is due, in seconds since 1970.");
        var looks = meter.CreateGauge<long>("platformops_certificate_looked_seconds", "s", "When a certificate of somebody else was looked at last, in seconds since 1970.");
        var problems = meter.CreateGauge<long>("platformops_certificate_problem_seconds", "s", "When a look found something wrong with it last, in seconds since 1970.");
        foreach (var certificate in certificates)
        {
            var labels = new KeyValuePair<string, object>[]
            {
                new("environment", certificate.Certificate.Environment), new("region", certificate.Certificate.Region), new("certificate", certificate.Certificate.Name),
                new("owner", System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName($"{certificate.Owner}")),
            };
            if (certificate.NotAfter is { } end)
                ends.Set(end.ToUnixTimeSeconds(), labels);
            if (certificate.DueAt is { } due)
                dues.Set(due.ToUnixTimeSeconds(), labels);
            // Both times, so that the newest look of any worker counts: it has ended when the last look is later than the last problem.
            if (certificate.LookedAt is { } looked)
                looks.Set(looked.ToUnixTimeSeconds(), labels);
            if (certificate is { LookedAt: { } at, Problem: { } problem })
                problems.Set(at.ToUnixTimeSeconds(), [.. labels, new("problem", System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName($"{problem}"))]);
        }
    }
}
