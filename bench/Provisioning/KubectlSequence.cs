using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Bench.Provisioning;

/// <summary>The same objects without a runbook: component after component in the plan's order, <c>kubectl apply</c>, then waiting for its workloads. What is no
/// object of the cluster, as a Temporal namespace, and what a gate asks beyond the cluster, is not in it.</summary>
internal static class KubectlSequence
{
    private static readonly string[] Rolled = ["Deployment", "StatefulSet", "DaemonSet"];

    /// <summary>Brings everything into an empty cluster.</summary>
    /// <param name="components">In the order in which they are applied.</param>
    /// <returns>Seconds until the last workload was ready.</returns>
    public static async Task<double> ApplyAsync(string kubeconfig, IEnumerable<string> components, ILookup<string, JsonObject> objects)
    {
        var file = Path.GetTempFileName();
        var began = Stopwatch.GetTimestamp();
        try
        {
            foreach (var component in components.Where(objects.Contains))
            {
                var list = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. objects[component].Select(item => item.DeepClone())]) };
                await File.WriteAllTextAsync(file, list.ToJsonString());
                await Kubectl.RunAsync(kubeconfig, "apply", "--validate=false", "-f", file);
                foreach (var workload in objects[component].Where(item => Rolled.Contains((string?)item["kind"])))
                    await Kubectl.RunAsync(kubeconfig, ["rollout", "status", Name(workload), .. Space(workload), "--timeout=300s"]);
                foreach (var job in objects[component].Where(item => (string?)item["kind"] == "Job"))
                    await Kubectl.RunAsync(kubeconfig, ["wait", "--for=condition=complete", Name(job), .. Space(job), "--timeout=300s"]);
            }

            return Math.Round(Stopwatch.GetElapsedTime(began).TotalSeconds, 2);
        }
        finally
        {
            // Values of Secrets were in it.
            File.Delete(file);
        }
    }

    private static string Name(JsonObject item) => string.Create(CultureInfo.InvariantCulture, $"{item["kind"]}/{item["metadata"]!["name"]}");

    private static string[] Space(JsonObject item) => ["--namespace", (string)item["metadata"]!["namespace"]!];
}
