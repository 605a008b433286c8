using System.Net;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

/// <summary>What tests of custom kinds share.</summary>
internal static class CustomTests
{
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
