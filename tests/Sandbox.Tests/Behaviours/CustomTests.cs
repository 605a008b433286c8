using System.Net;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.GitOps;

namespace PlatformOps.Sandbox.Tests.Behaviours;

/// <summary>What tests of custom kinds share.</summary>
internal static class CustomTests
{
    /// <summary>Declares the kinds of a chart, as Argo CD would, and returns when they are served.</summary>
    public static async Task ServeChartAsync(TestCluster cluster, string chart)
    {
        var source = new ApplicationSource("", chart, "1", chart, []);
        var bare = ChartRepository.Find(chart)! with { Workloads = [] };
        foreach (var definition in ChartManifests.Of(bare, source, "default"))
            await ServeAsync(cluster, definition.ToJsonString());
    }

    /// <summary>A kind of a chart.</summary>
    public static ApiResource Kind(string group, string version, string kind, bool namespaced = true) =>
        new(group, version, kind, kind.ToLowerInvariant() + "s", namespaced);

    /// <summary>Declares a kind, unless another test did, and returns when it is served.</summary>
    public static async Task ServeAsync(TestCluster cluster, string definition)
    {
        var name = Yaml.Read(definition).At("metadata").Text("name")!;
        try
        {
            await cluster.CreateAsync(Resources.Definitions, "", definition);
        }
        catch (ClusterError error) when (error.Code == HttpStatusCode.Conflict)
        {
            // Another test did.
        }
        var served = await cluster.UntilAsync(Resources.Definitions, "", name, item => Discovery.Declared(item) is not null);
        var resource = Discovery.Declared(served)!;
        await cluster.UntilAsync(async () =>
        {
            try
            {
                return (await cluster.Client.ListAsync(resource, default)).Version.Length > 0;
            }
            catch (ClusterError error) when (error.NotFound)
            {
                return false;
            }
        });
    }
}
