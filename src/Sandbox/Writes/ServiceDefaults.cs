using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Writes;

/// <summary>What a server fills in where a Service is silent, its cluster address among it.</summary>
internal static class ServiceDefaults
{
    public static void Fill(JsonObject value, JsonObject? live)
    {
        var spec = value.Child("spec");
        spec.Default("type", "ClusterIP");
        spec.Default("sessionAffinity", "None");
        value.Child("status").Default("loadBalancer", new JsonObject());
        foreach (var port in PodDefaults.Objects(spec["ports"]))
        {
            port.Default("protocol", "TCP");
            port.Default("targetPort", port["port"]?.DeepClone());
        }

        if (spec["type"].Text() == "ExternalName")
            return;
        spec.Default("internalTrafficPolicy", "Cluster");
        spec.Default("ipFamilies", new JsonArray("IPv4"));
        spec.Default("ipFamilyPolicy", "SingleStack");
        var before = live?["spec"]?["clusterIP"].Text();
        spec.Default("clusterIP", before ?? Address(value));
        spec["clusterIPs"] = new JsonArray(spec["clusterIP"]!.DeepClone());
    }

    /// <summary>The same Service of the same world always gets the same address.</summary>
    private static string Address(JsonObject value)
    {
        var hash = 2166136261u;
        foreach (var octet in Encoding.UTF8.GetBytes($"{value["metadata"]?["namespace"].Text()}/{value["metadata"]?["name"].Text()}"))
            hash = (hash ^ octet) * 16777619u;
        return string.Create(CultureInfo.InvariantCulture, $"10.96.{hash >> 8 & 0xff}.{1 + hash % 254}");
    }
}
