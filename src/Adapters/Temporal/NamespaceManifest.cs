using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Yaml;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>A Temporal namespace in the form of a Kubernetes object, so that one planner plans both. The namespace's data map holds labels and
/// annotations side by side under their own names.</summary>
internal static class NamespaceManifest
{
    public static ObservedObject Of(string region, DescribeNamespaceResponse space)
    {
        var info = space.NamespaceInfo;
        var metadata = ObjectMarks.Metadata(info.Name, info.Id, info.Data.ToDictionary());
        if (info.State == NamespaceState.Deleted)
            metadata["deletionTimestamp"] = "unknown";
        return new(new(region, ResourceAddress.TemporalApiVersion, TemporalNamespaces.Kind, null, info.Name), new JsonObject
        {
            ["apiVersion"] = ResourceAddress.TemporalApiVersion,
            ["kind"] = TemporalNamespaces.Kind,
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["description"] = info.Description,
                ["ownerEmail"] = info.OwnerEmail,
                // The same normal form in which specifications are read.
                ["retention"] = Units.Format(space.Config?.WorkflowExecutionRetentionTtl?.ToTimeSpan() ?? TimeSpan.Zero),
            },
        });
    }
}
