using PlatformOps.Workflows.Secrets;
using Temporalio.Common;

namespace PlatformOps.Activities.Secrets;

/// <summary>What every look at the secrets leaves as metrics of the worker. A worker that looked long ago knows earlier times: the latest counts. Names and labels are public: dashboards go by them.</summary>
internal static class SecretMetrics
{
    public static void Record(MetricMeter meter, IEnumerable<FoundSecret> secrets, DateTimeOffset now)
    {
        var made = meter.CreateGauge<long>("platformops_secret_since_seconds", "s", "Since when a secret is as it is, in seconds since 1970.");
        var dues = meter.CreateGauge<long>("platformops_secret_due_seconds", "s", "When a secret is due, in seconds since 1970.");
        foreach (var secret in secrets)
        {
            KeyValuePair<string, object>[] labels = [new("environment", secret.Secret.Environment), new("region", secret.Secret.Region), new("secret", secret.Secret.Name)];
            if (secret.Since is { } since)
                made.Set(since.ToUnixTimeSeconds(), labels);
            // One that was never rotated is due whatever its age is.
            if ((secret.Since + secret.Every ?? (secret.Due ? now : null)) is { } due)
                dues.Set((secret.Due && due > now ? now : due).ToUnixTimeSeconds(), labels);
        }
    }
}
