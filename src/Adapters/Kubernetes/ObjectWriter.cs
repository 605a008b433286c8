using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Changes objects, as the field manager <see cref="Ownership.FieldManager"/>, against another manager's will only when it is told to.</summary>
public sealed class ObjectWriter(KubernetesConnection connection)
{
    /// <summary>Longest single watch; the server ends it then, and we look again.</summary>
    private static readonly TimeSpan WatchFor = TimeSpan.FromSeconds(10);

    /// <summary>Creates the object with what is declared. When somebody else creates it at the same moment, it is left to them.</summary>
    public async Task CreateAsync(ResourceAddress address, JsonObject manifest, CancellationToken ct)
    {
        var (status, live) = await ApplyAsync(address, manifest, false, ct);
        if (status == HttpStatusCode.Created || OtherWriters(live) is not { Count: > 0 } others)
            return;
        // To apply nothing is to give up every field that we just took, and what others own stays.
        await ApplyAsync(address, Nothing(address), false, ct);
        throw connection.Failures.Appeared(LiveObjects.InWords(address), string.Join(", ", others));
    }

    /// <summary>Creates a Secret with its values; one that exists is never overwritten.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it exists by now.</exception>
    public async Task CreateSecretAsync(ResourceAddress address, JsonObject manifest, CancellationToken ct)
    {
        var kind = await connection.Kinds.FindAsync(new(address.ApiVersion, address.Kind), ct);
        var call = new ApiCall(HttpMethod.Post, $"{kind.Path(address.Namespace, null)}?fieldManager={Ownership.FieldManager}", "create", LiveObjects.InWords(address))
        {
            Body = manifest,
            Confidential = true,
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }

    /// <summary>Brings an object that exists to what is declared.</summary>
    /// <param name="uid">Of the object that was observed; another one of the same name is not touched.</param>
    /// <param name="rehearse">Only asks whether it would be accepted; nothing is stored.</param>
    /// <param name="force">Takes declared fields over from whoever owns them. Default: that is a conflict.</param>
    public async Task ChangeAsync(ResourceAddress address, JsonObject manifest, string uid, bool rehearse, CancellationToken ct, bool force = false)
    {
        var body = (JsonObject)manifest.DeepClone();
        body["metadata"]!["uid"] = uid;
        await ApplyAsync(address, body, rehearse, ct, force);
    }

    /// <summary>Asks for the deletion of exactly the object that was observed. False when it is gone already.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it is another object, or was changed since.</exception>
    public async Task<bool> DeleteAsync(ObservedObject observed, CancellationToken ct)
    {
        var kind = await connection.Kinds.FindAsync(new(observed.Address.ApiVersion, observed.Address.Kind), ct);
        var metadata = observed.Manifest["metadata"]!;
        var call = new ApiCall(HttpMethod.Delete, kind.Path(observed.Address.Namespace, observed.Address.Name), "delete", LiveObjects.InWords(observed.Address))
        {
            Body = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "DeleteOptions",
                ["propagationPolicy"] = Propagation(observed.Address.ApiVersion),
                ["preconditions"] = new JsonObject { ["uid"] = metadata["uid"]?.DeepClone(), ["resourceVersion"] = metadata["resourceVersion"]?.DeepClone() },
            },
        };
        return !(await connection.SendAsync(call, ct)).Missing;
    }

    /// <summary>Waits by watch until the object is gone.</summary>
    /// <param name="uid">Of the object that goes; another one of the same name does not count.</param>
    /// <param name="waiting">Called with the object as it is, whenever it was looked at again.</param>
    /// <returns>Null, or the object as it is when patience ended.</returns>
    public async Task<ObservedObject?> WaitUntilGoneAsync(ResourceAddress address, string uid, TimeSpan patience, Action<ObservedObject> waiting, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var objects = new LiveObjects(connection);
        while (await objects.FindAsync(address, ct) is { } live && (string?)live.Manifest["metadata"]?["uid"] == uid)
        {
            var left = patience - Stopwatch.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
                return live;
            waiting(live);
            await WatchForDeletionAsync(live, left < WatchFor ? left : WatchFor, ct);
        }

        return null;
    }

    private async Task WatchForDeletionAsync(ObservedObject live, TimeSpan atMost, CancellationToken ct)
    {
        var kind = await connection.Kinds.FindAsync(new(live.Address.ApiVersion, live.Address.Kind), ct);
        var query = $"?watch=true&timeoutSeconds={Math.Max(1, (int)atMost.TotalSeconds)}&resourceVersion={live.Manifest["metadata"]!["resourceVersion"]}"
            + $"&fieldSelector={Uri.EscapeDataString($"metadata.name={live.Address.Name}")}";
        var call = ApiCall.Get(kind.Path(live.Address.Namespace, null) + query, "watch", LiveObjects.InWords(live.Address));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(atMost + TimeSpan.FromSeconds(1));
        try
        {
            await foreach (var change in connection.WatchAsync(call, deadline.Token))
            {
                if ((string?)change["type"] is "DELETED" or "ERROR")
                    return;
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // The server did not end the watch when it was asked to; we look again just the same.
        }
    }

    private async Task<(HttpStatusCode Status, JsonObject Live)> ApplyAsync(ResourceAddress address, JsonObject manifest, bool rehearse, CancellationToken ct, bool force = false)
    {
        var kind = await connection.Kinds.FindAsync(new(address.ApiVersion, address.Kind), ct);
        var query = $"?fieldManager={Ownership.FieldManager}&force={(force ? "true" : "false")}{(rehearse ? "&dryRun=All" : "")}";
        var call = new ApiCall(HttpMethod.Patch, kind.Path(address.Namespace, address.Name) + query, "patch", LiveObjects.InWords(address))
        {
            Body = manifest,
            ContentType = "application/apply-patch+yaml",
        };
        var answer = await connection.SendAsync(call, ct);
        return answer.Missing ? throw connection.Failures.Absent(call, answer) : (answer.Status, answer.Body);
    }

    /// <summary>What makes pods is gone when its pods are. Kubernetes' other kinds make nothing that would be missed, and go faster without the wait.</summary>
    private static string Propagation(string apiVersion) =>
        apiVersion == "v1" || apiVersion.Contains(".k8s.io/", StringComparison.Ordinal) || apiVersion.StartsWith("policy/", StringComparison.Ordinal) ? "Background" : "Foreground";

    private static JsonObject Nothing(ResourceAddress address)
    {
        var metadata = new JsonObject { ["name"] = address.Name };
        if (address.Namespace is { } space)
            metadata["namespace"] = space;
        return new() { ["apiVersion"] = address.ApiVersion, ["kind"] = address.Kind, ["metadata"] = metadata };
    }

    /// <summary>Who wrote fields of the object besides us, status aside. Nobody: an earlier call of ours arrived late.</summary>
    private static IReadOnlyList<string> OtherWriters(JsonObject live) =>
        [.. (live["metadata"]?["managedFields"] as JsonArray ?? []).OfType<JsonObject>()
            .Where(entry => (string?)entry["subresource"] is null && (string?)entry["manager"] != Ownership.FieldManager && WritesMoreThanStatus(entry))
            .Select(entry => (string)entry["manager"]!)
            .Distinct()];

    /// <summary>Older servers do not say which entries are of the status subresource.</summary>
    private static bool WritesMoreThanStatus(JsonObject entry) =>
        (entry["fieldsV1"] as JsonObject)?.Any(field => field.Key is not ("f:status" or "f:metadata") || (field.Value as JsonObject)?.ContainsKey("f:labels") == true) == true;
}
