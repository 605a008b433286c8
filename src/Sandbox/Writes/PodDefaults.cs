using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Writes;

/// <summary>What a server fills in where a pod's specification is silent.</summary>
internal static class PodDefaults
{
    public static void Fill(JsonObject pod, bool template)
    {
        pod.Default("restartPolicy", "Always");
        pod.Default("terminationGracePeriodSeconds", 30);
        pod.Default("dnsPolicy", "ClusterFirst");
        pod.Default("securityContext", new JsonObject());
        pod.Default("schedulerName", "default-scheduler");
        if (!template)
        {
            pod.Default("enableServiceLinks", true);
            pod.Default("serviceAccountName", "default");
            pod.Default("preemptionPolicy", "PreemptLowerPriority");
            pod.Default("priority", 0);
        }

        if (pod["serviceAccountName"] is { } account)
            pod["serviceAccount"] = account.DeepClone();
        foreach (var list in new[] { "initContainers", "containers" })
        {
            foreach (var container in Objects(pod[list]))
                FillContainer(container);
        }

        foreach (var volume in Objects(pod["volumes"]))
            FillVolume(volume);
    }

    internal static IEnumerable<JsonObject> Objects(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();

    private static void FillContainer(JsonObject container)
    {
        container.Default("terminationMessagePath", "/dev/termination-log");
        container.Default("terminationMessagePolicy", "File");
        container.Default("resources", new JsonObject());
        if (container["image"].Text() is { } image)
            container.Default("imagePullPolicy", image.EndsWith(":latest", StringComparison.Ordinal) || !image[(image.LastIndexOf('/') + 1)..].Contains(':', StringComparison.Ordinal) ? "Always" : "IfNotPresent");
        foreach (var port in Objects(container["ports"]))
            port.Default("protocol", "TCP");
        foreach (var variable in Objects(container["env"]))
            (variable["valueFrom"]?["fieldRef"] as JsonObject)?.Default("apiVersion", "v1");
        foreach (var name in new[] { "livenessProbe", "readinessProbe", "startupProbe" })
        {
            if (container[name] is JsonObject probe)
                FillProbe(probe);
        }

        if (container["resources"] is JsonObject { } resources && resources["limits"] is JsonObject limits)
        {
            var requests = resources.Child("requests");
            foreach (var (name, value) in limits)
                requests.Default(name, value?.DeepClone());
        }
    }

    private static void FillProbe(JsonObject probe)
    {
        probe.Default("timeoutSeconds", 1);
        probe.Default("periodSeconds", 10);
        probe.Default("successThreshold", 1);
        probe.Default("failureThreshold", 3);
        if (probe["httpGet"] is JsonObject get)
        {
            get.Default("path", "/");
            get.Default("scheme", "HTTP");
        }

        (probe["grpc"] as JsonObject)?.Default("service", "");
    }

    private static void FillVolume(JsonObject volume)
    {
        foreach (var source in new[] { "configMap", "secret", "projected", "downwardAPI" })
            (volume[source] as JsonObject)?.Default("defaultMode", 420);
        if (volume["hostPath"] is JsonObject host)
            host.Default("type", "");
        if (volume.All(field => field.Key == "name"))
            volume["emptyDir"] = new JsonObject();
    }
}
