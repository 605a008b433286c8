using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Writes;

/// <summary>What a server fills in where an object is silent.</summary>
internal static class Defaults
{
    /// <param name="live">Null when the object is being created.</param>
    public static void Fill(ResourceKind kind, JsonObject value, JsonObject? live)
    {
        if (kind.Custom)
        {
            if (kind.Schema is { } schema)
                CustomSchema.Fill(schema, value);
            return;
        }

        Quantities.Normalise(value);
        var spec = value["spec"] as JsonObject;
        switch (kind.Kind)
        {
            case "Pod" when spec is not null:
                PodDefaults.Fill(spec, template: false);
                value.Child("status").Default("phase", "Pending");
                value.Child("status").Default("qosClass", "Burstable");
                break;
            case "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" or "Job" or "CronJob" when spec is not null:
                WorkloadDefaults.Fill(kind.Kind, spec, value.Child("metadata"));
                break;
            case "Service":
                ServiceDefaults.Fill(value, live);
                break;
            case "Namespace":
                value.Child("metadata").Child("labels")["kubernetes.io/metadata.name"] = value["metadata"]!["name"]!.DeepClone();
                if (live is null)
                {
                    value.Child("spec").Default("finalizers", new JsonArray("kubernetes"));
                    value.Child("status").Default("phase", "Active");
                }

                break;
            case "Secret":
                FillSecret(value);
                break;
            case "PersistentVolumeClaim" when spec is not null:
                spec.Default("volumeMode", "Filesystem");
                value.Child("status").Default("phase", "Pending");
                break;
            case "NetworkPolicy" when spec is not null:
                FillNetworkPolicy(spec);
                break;
            case "ClusterRoleBinding" or "RoleBinding":
                FillBinding(value);
                break;
            case "CustomResourceDefinition" when spec is not null:
                FillDefinition(value, spec);
                break;
            case "PriorityClass":
                value.Default("preemptionPolicy", "PreemptLowerPriority");
                break;
            case "EndpointSlice":
                foreach (var port in PodDefaults.Objects(value["ports"]))
                {
                    port.Default("name", "");
                    port.Default("protocol", "TCP");
                }

                break;
            case "Endpoints":
                foreach (var port in PodDefaults.Objects(value["subsets"]).SelectMany(subset => PodDefaults.Objects(subset["ports"])))
                    port.Default("protocol", "TCP");
                break;
        }
    }

    private static void FillSecret(JsonObject value)
    {
        value.Default("type", "Opaque");
        if (value["stringData"] is not JsonObject texts)
            return;
        foreach (var (name, text) in texts)
            value.Child("data")[name] = Convert.ToBase64String(Encoding.UTF8.GetBytes(text.Text() ?? ""));
        value.Remove("stringData");
    }

    private static void FillNetworkPolicy(JsonObject spec)
    {
        spec.Default("policyTypes", spec["egress"] is JsonArray { Count: > 0 } ? new JsonArray("Ingress", "Egress") : new JsonArray("Ingress"));
        foreach (var rules in new[] { "ingress", "egress" })
        {
            foreach (var port in PodDefaults.Objects(spec[rules]).SelectMany(rule => PodDefaults.Objects(rule["ports"])))
                port.Default("protocol", "TCP");
        }
    }

    private static void FillBinding(JsonObject value)
    {
        (value["roleRef"] as JsonObject)?.Default("apiGroup", "rbac.authorization.k8s.io");
        foreach (var subject in PodDefaults.Objects(value["subjects"]).Where(subject => subject["kind"].Text() is "User" or "Group"))
            subject.Default("apiGroup", "rbac.authorization.k8s.io");
    }

    private static void FillDefinition(JsonObject value, JsonObject spec)
    {
        spec.Default("conversion", new JsonObject { ["strategy"] = "None" });
        if (spec["names"] is JsonObject names && names["kind"].Text() is { } kind)
        {
            names.Default("listKind", $"{kind}List");
            names.Default("singular", kind.ToLowerInvariant());
            var status = value.Child("status");
            status["acceptedNames"] = names.DeepClone();
            status.Default("storedVersions", new JsonArray([.. PodDefaults.Objects(spec["versions"]).Where(version => (bool?)version["storage"] == true).Select(version => version["name"]?.DeepClone())]));
            status.Default("conditions", new JsonArray(Established("NamesAccepted", "NoConflicts", "no conflicts found"), Established("Established", "InitialNamesAccepted", "the initial names have been accepted")));
        }
    }

    private static JsonObject Established(string type, string reason, string message) => new()
    {
        ["type"] = type,
        ["status"] = "True",
        ["reason"] = reason,
        ["message"] = message,
    };
}
