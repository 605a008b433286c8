using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Writes;

/// <summary>What a server fills in where a workload is silent.</summary>
internal static class WorkloadDefaults
{
    /// <param name="spec">Of the workload.</param>
    /// <param name="metadata">Of the workload; a Job's selector is made from its uid.</param>
    public static void Fill(string kind, JsonObject spec, JsonObject metadata)
    {
        switch (kind)
        {
            case "Deployment":
                spec.Default("replicas", 1);
                var strategy = spec.Child("strategy");
                strategy.Default("type", "RollingUpdate");
                FillRollingUpdate(strategy, ("maxUnavailable", "25%"), ("maxSurge", "25%"));
                spec.Default("revisionHistoryLimit", 10);
                spec.Default("progressDeadlineSeconds", 600);
                break;
            case "StatefulSet":
                spec.Default("replicas", 1);
                spec.Default("podManagementPolicy", "OrderedReady");
                var update = spec.Child("updateStrategy");
                update.Default("type", "RollingUpdate");
                FillRollingUpdate(update, ("partition", 0));
                spec.Default("revisionHistoryLimit", 10);
                spec.Default("persistentVolumeClaimRetentionPolicy", new JsonObject { ["whenDeleted"] = "Retain", ["whenScaled"] = "Retain" });
                FillClaims(spec);
                break;
            case "DaemonSet":
                var daemon = spec.Child("updateStrategy");
                daemon.Default("type", "RollingUpdate");
                FillRollingUpdate(daemon, ("maxUnavailable", 1), ("maxSurge", 0));
                spec.Default("revisionHistoryLimit", 10);
                break;
            case "ReplicaSet":
                spec.Default("replicas", 1);
                break;
            case "Job":
                FillJob(spec, metadata);
                break;
            case "CronJob":
                spec.Default("concurrencyPolicy", "Allow");
                spec.Default("suspend", false);
                spec.Default("successfulJobsHistoryLimit", 3);
                spec.Default("failedJobsHistoryLimit", 1);
                break;
        }

        var template = kind == "CronJob" ? spec["jobTemplate"]?["spec"]?["template"] : spec["template"];
        if (template?["spec"] is JsonObject pod)
            PodDefaults.Fill(pod, template: true);
    }

    private static void FillRollingUpdate(JsonObject strategy, params (string Name, JsonNode Value)[] defaults)
    {
        if (strategy["type"].Text() != "RollingUpdate")
            return;
        var rolling = strategy.Child("rollingUpdate");
        foreach (var (name, value) in defaults)
            rolling.Default(name, value);
    }

    private static void FillClaims(JsonObject spec)
    {
        foreach (var claim in PodDefaults.Objects(spec["volumeClaimTemplates"]))
        {
            claim.Default("apiVersion", "v1");
            claim.Default("kind", "PersistentVolumeClaim");
            (claim["spec"] as JsonObject)?.Default("volumeMode", "Filesystem");
            claim.Default("status", new JsonObject { ["phase"] = "Pending" });
        }
    }

    private static void FillJob(JsonObject spec, JsonObject metadata)
    {
        spec.Default("parallelism", 1);
        spec.Default("completions", 1);
        spec.Default("completionMode", "NonIndexed");
        spec.Default("backoffLimit", 6);
        spec.Default("suspend", false);
        spec.Default("manualSelector", false);
        spec.Default("podReplacementPolicy", "TerminatingOrFailed");
        if ((bool?)spec["manualSelector"] == true || metadata["uid"].Text() is not { } uid || spec["template"] is not JsonObject template)
            return;
        var labels = template.Child("metadata").Child("labels");
        foreach (var (label, value) in new[]
        {
            ("batch.kubernetes.io/controller-uid", uid), ("batch.kubernetes.io/job-name", metadata["name"].Text()),
            ("controller-uid", uid), ("job-name", metadata["name"].Text()),
        })
        {
            labels[label] = value;
        }

        spec["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["batch.kubernetes.io/controller-uid"] = uid } };
    }
}
