using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Reads and writes objects whole, values of Secrets too: for backups, which encrypt them, and for restores.</summary>
/// <param name="pageSize">How many objects are in memory at once. An object has at most about 1.5 MB.</param>
public sealed class WholeObjects(KubernetesConnection connection, int pageSize = 100)
{
    /// <summary>Who restores, in the fields of objects. It owns nothing in the end: the owners of before get their fields back.</summary>
    private const string FieldManager = "platformops-restore";

    /// <summary>All objects of a kind, page by page, as they were at one moment.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: reading took longer than the server remembers that moment. Begin again.</exception>
    public async IAsyncEnumerable<JsonObject> ListAsync(ServedResource resource, [EnumeratorCancellation] CancellationToken ct)
    {
        var root = Served(resource).Path(null, null);
        for (var next = ""; ;)
        {
            var page = (await connection.SendAsync(ApiCall.Get($"{root}?limit={pageSize}{next}", "list", resource.Name) with { Confidential = IsSecret(resource.Kind) }, ct)).Body;
            if ((string?)page["kind"] is not { } answered || !answered.EndsWith("List", StringComparison.Ordinal))
                throw new AdapterException(AdapterFailureKind.Unavailable, $"What was answered to the list of {resource.Name} in {connection.Region} is no list: that is no answer of an API server.");
            foreach (var item in (page["items"] as JsonArray ?? []).OfType<JsonObject>())
            {
                item["apiVersion"] = resource.Kind.ApiVersion;
                item["kind"] = resource.Kind.Kind;
                yield return item;
            }

            if ((string?)page["metadata"]?["continue"] is not { Length: > 0 } token)
                yield break;
            next = $"&continue={Uri.EscapeDataString(token)}";
        }
    }

    /// <summary>The object as it is; null when the API server says that there is none.</summary>
    public async Task<JsonObject?> FindAsync(ResourceAddress address, CancellationToken ct)
    {
        var call = ApiCall.Get((await KindAsync(address, ct)).Path(address.Namespace, address.Name), "get", LiveObjects.InWords(address)) with { Confidential = IsSecret(Kind(address)) };
        var answer = await connection.SendAsync(call, ct);
        return answer.Missing ? null : answer.Body;
    }

    /// <summary>Creates an object.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: there is one of this name, or its namespace is not there.</exception>
    public async Task CreateAsync(ResourceAddress address, JsonObject manifest, CancellationToken ct)
    {
        var kind = await KindAsync(address, ct);
        await WriteAsync(new(HttpMethod.Post, kind.Path(address.Namespace, null) + $"?fieldManager={FieldManager}", "create", LiveObjects.InWords(address)), address, manifest, kind, ct);
    }

    /// <summary>Replaces an object that is as it was read.</summary>
    /// <param name="manifest">With the resource version of what was read.</param>
    public async Task ReplaceAsync(ResourceAddress address, JsonObject manifest, CancellationToken ct)
    {
        var kind = await KindAsync(address, ct);
        await WriteAsync(new(HttpMethod.Put, kind.Path(address.Namespace, address.Name) + $"?fieldManager={FieldManager}", "update", LiveObjects.InWords(address)), address, manifest, kind, ct);
    }

    /// <summary>Deletes an object. One that is not there is deleted.</summary>
    public async Task DeleteAsync(ResourceAddress address, CancellationToken ct)
    {
        var kind = await KindAsync(address, ct);
        await connection.SendAsync(new(HttpMethod.Delete, kind.Path(address.Namespace, address.Name) + "?propagationPolicy=Background&gracePeriodSeconds=0", "delete", LiveObjects.InWords(address)), ct);
    }

    /// <summary>Deletes an object against the will of its finalizers, whose controllers may not run: only where nothing but copies is.</summary>
    public async Task RemoveAsync(ResourceAddress address, CancellationToken ct)
    {
        var kind = await KindAsync(address, ct);
        if (await FindAsync(address, ct) is not { } live)
            return;
        if (address.Kind != "Namespace" && live["metadata"]?["finalizers"] is JsonArray { Count: > 0 } && address.Kind != "CustomResourceDefinition")
            await connection.SendAsync(new(HttpMethod.Patch, kind.Path(address.Namespace, address.Name), "patch", LiveObjects.InWords(address))
            {
                Body = new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = null } },
                ContentType = "application/merge-patch+json",
                Confidential = IsSecret(Kind(address)),
            }, ct);
        if (live["metadata"]?["deletionTimestamp"] is null)
            await DeleteAsync(address, ct);
        else if (address is { ApiVersion: "v1", Kind: "Namespace" })
            // The controller that would do this may not run here. Everything in it was deleted before.
            await connection.SendAsync(new(HttpMethod.Put, $"{kind.Path(null, address.Name)}/finalize", "update", LiveObjects.InWords(address))
            {
                Body = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = address.Name }, ["spec"] = new JsonObject { ["finalizers"] = new JsonArray() } },
            }, ct);
    }

    /// <summary>Whether the server serves a kind by now.</summary>
    public async Task<bool> ServesAsync(ObjectKind kind, CancellationToken ct) => await connection.Kinds.FindOrNullAsync(kind, ct) is not null;

    private async Task WriteAsync(ApiCall call, ResourceAddress address, JsonObject manifest, ServedKind kind, CancellationToken ct)
    {
        var body = (JsonObject)manifest.DeepClone();
        var owners = body["metadata"]!["managedFields"]?.DeepClone();
        ((JsonObject)body["metadata"]!).Remove("managedFields");
        call = call with { Body = body, Confidential = IsSecret(Kind(address)) };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
        if (owners is null)
            return;
        // The writer of an object owns all its fields, and everybody else's next apply would be a conflict with us. Only a second call can say otherwise.
        var patch = new ApiCall(HttpMethod.Patch, kind.Path(address.Namespace, address.Name) + $"?fieldManager={FieldManager}", "patch", LiveObjects.InWords(address))
        {
            Body = new JsonObject { ["metadata"] = new JsonObject { ["managedFields"] = owners } },
            ContentType = "application/merge-patch+json",
            Confidential = IsSecret(Kind(address)),
        };
        if (await connection.SendAsync(patch, ct) is { Missing: true } gone)
            throw connection.Failures.Absent(patch, gone);
    }

    private Task<ServedKind> KindAsync(ResourceAddress address, CancellationToken ct) => connection.Kinds.FindAsync(Kind(address), ct);

    private static ServedKind Served(ServedResource resource) =>
        new(resource.Kind.Group.Length == 0 ? $"/api/{resource.Kind.ApiVersion}" : $"/apis/{resource.Kind.ApiVersion}", resource.Resource, resource.Namespaced);

    private static ObjectKind Kind(ResourceAddress address) => new(address.ApiVersion, address.Kind);

    private static bool IsSecret(ObjectKind kind) => kind is { ApiVersion: "v1", Kind: "Secret" };
}
