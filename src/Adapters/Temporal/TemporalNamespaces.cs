using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Yaml;
using Temporalio.Api.Namespace.V1;
using Temporalio.Api.OperatorService.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>The namespaces of a Temporal cluster, as objects of kind <see cref="Kind"/>. Whose a namespace is stands in its data map.</summary>
public sealed class TemporalNamespaces(TemporalCluster cluster)
{
    /// <summary>The kind of these objects; their group is <see cref="ResourceAddress.TemporalApiVersion"/>.</summary>
    public const string Kind = "TemporalNamespace";

    private const int PageSize = 200;

    private readonly SearchAttributes attributes = new(cluster);

    /// <summary>Every namespace there is; those that are ours with their search attributes. Changes nothing.</summary>
    public async Task<IReadOnlyList<ObservedObject>> ListAsync(CancellationToken ct)
    {
        var found = new List<ObservedObject>();
        var token = ByteString.Empty;
        do
        {
            var page = await cluster.CallAsync(
                "list namespaces", (services, rpc) => services.ListNamespacesAsync(new ListNamespacesRequest { PageSize = PageSize, NextPageToken = token }, rpc), ct);
            found.AddRange(page.Namespaces.Select(space => NamespaceManifest.Of(cluster.Region, space)));
            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        foreach (var ours in found.Where(IsOurs))
            ours.Manifest["spec"]![SearchAttributes.Field] = await attributes.ListAsync(ours.Address.Name, ct);
        return found;
    }

    /// <summary>Registers a namespace, and its search attributes.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it exists by now.</exception>
    public async Task RegisterAsync(JsonObject manifest, CancellationToken ct)
    {
        var request = new RegisterNamespaceRequest
        {
            Namespace = Name(manifest),
            Description = Text(manifest, "description"),
            OwnerEmail = Text(manifest, "ownerEmail"),
            WorkflowExecutionRetentionPeriod = Retention(manifest),
        };
        request.Data.Add(ObjectMarks.Of(manifest));
        await cluster.CallAsync($"register namespace {Name(manifest)}", (services, rpc) => services.RegisterNamespaceAsync(request, rpc), ct);
        await attributes.EnsureAsync(manifest, ct);
    }

    /// <summary>Brings a namespace that exists to what is declared. What is already so is not sent: an attempt that begins again goes on where the one before ended.</summary>
    public async Task UpdateAsync(JsonObject manifest, JsonObject live, CancellationToken ct)
    {
        if (Differs(manifest, live))
            await UpdateAsync(manifest, ct);
        await attributes.EnsureAsync(manifest, ct);
    }

    /// <summary>How many workflow executions a namespace holds: deleting it deletes them. A canary of ours, whose worker died, is nobody's loss.</summary>
    public async Task<long> CountExecutionsAsync(string name, CancellationToken ct) => (await cluster.CallAsync(
        $"count the executions of namespace {name}", (services, rpc) => services.CountWorkflowExecutionsAsync(new CountWorkflowExecutionsRequest { Namespace = name, Query = $"WorkflowId != '{CanaryWorkflow.WorkflowId}'" }, rpc), ct)).Count;

    /// <summary>Deletes exactly the namespace that was observed, with all that is in it.</summary>
    public Task DeleteAsync(ObservedObject observed, CancellationToken ct) => cluster.CallAsync(
        $"delete namespace {observed.Address.Name}",
        (connection, rpc) => connection.OperatorService.DeleteNamespaceAsync(new DeleteNamespaceRequest { NamespaceId = (string)observed.Manifest["metadata"]!["uid"]! }, rpc),
        ct);

    private Task<UpdateNamespaceResponse> UpdateAsync(JsonObject manifest, CancellationToken ct)
    {
        var request = new UpdateNamespaceRequest
        {
            Namespace = Name(manifest),
            UpdateInfo = new UpdateNamespaceInfo { Description = Text(manifest, "description"), OwnerEmail = Text(manifest, "ownerEmail") },
            Config = new NamespaceConfig { WorkflowExecutionRetentionTtl = Retention(manifest) },
        };
        request.UpdateInfo.Data.Add(ObjectMarks.Of(manifest));
        return cluster.CallAsync($"update namespace {Name(manifest)}", (services, rpc) => services.UpdateNamespaceAsync(request, rpc), ct);
    }

    private static bool Differs(JsonObject manifest, JsonObject live)
    {
        var marks = ObjectMarks.Of(live);
        return ObjectMarks.Of(manifest).Any(mark => marks.GetValueOrDefault(mark.Key) != mark.Value)
            || Settings(manifest) != Settings(live);
    }

    private static (string, string, TimeSpan) Settings(JsonObject manifest) => (Text(manifest, "description"), Text(manifest, "ownerEmail"), Retention(manifest).ToTimeSpan());

    private static bool IsOurs(ObservedObject space) =>
        (string?)space.Manifest["metadata"]?["labels"]?[Ownership.ManagedByLabel] == Ownership.ManagedBy && space.Manifest["metadata"]?["deletionTimestamp"] is null;

    private static string Name(JsonObject manifest) => (string)manifest["metadata"]!["name"]!;

    private static string Text(JsonObject manifest, string field) => (string?)manifest["spec"]?[field] ?? "";

    private static Duration Retention(JsonObject manifest) => Units.TryParseDuration(Text(manifest, "retention"), out var retention)
        ? Duration.FromTimeSpan(retention)
        : throw new AdapterException(
            AdapterFailureKind.Rejected,
            $"{Kind} {Name(manifest)}: spec.retention is '{Text(manifest, "retention")}', which is no duration with its unit such as 30d. Correct the catalog.");
}
