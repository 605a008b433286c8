using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Databases;

/// <summary>Plays CloudNativePG for the <c>Cluster</c> resources of a namespace, through the Kubernetes API alone: whether they are primary or replica, fenced, demoted with a token, promoted with
/// one. There are no servers. What it finds it goes on with: all that it knows stands in the status.</summary>
/// <remarks>It behaves as the operator's source of 1.29 does in these points: a demotion fences everything by itself, gives the token when the primary has stopped, and lifts its fence; a
/// promotion with a token ends with <c>lastPromotionToken</c>; a cluster that is no replica has no demotion token.</remarks>
public sealed class CloudNativePgOperator : IAsyncDisposable
{
    private const string Fenced = "cnpg.io/fencedInstances";

    private static readonly TimeSpan Rhythm = TimeSpan.FromMilliseconds(20);

    private readonly HttpClient http;
    private readonly string path;
    private readonly Action<string, bool>? serves;
    private readonly ConcurrentDictionary<string, bool> lost = new();
    private readonly CancellationTokenSource stop = new();
    private readonly Task running;

    private CloudNativePgOperator(Uri api, string token, string space, Action<string, bool>? serves)
    {
        this.serves = serves;
        // For tests: the API server's certificate is its own.
        http = new(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator }) { BaseAddress = api, DefaultRequestHeaders = { Authorization = new("Bearer", token) } };
        path = $"/apis/postgresql.cnpg.io/v1/namespaces/{space}/clusters";
        running = Task.Run(RunAsync);
    }

    /// <summary>The resource's definition, with as much of its schema as is played; the status is a subresource, as in the original.</summary>
    public static JsonObject Definition => JsonNode.Parse("""
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "clusters.postgresql.cnpg.io"},
         "spec": {"group": "postgresql.cnpg.io", "scope": "Namespaced", "names": {"kind": "Cluster", "listKind": "ClusterList", "plural": "clusters", "singular": "cluster"},
          "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
              "instances": {"type": "integer", "minimum": 1},
              "replica": {"type": "object", "required": ["source"], "properties": {"self": {"type": "string"}, "primary": {"type": "string"}, "source": {"type": "string", "minLength": 1}, "enabled": {"type": "boolean"}, "promotionToken": {"type": "string"}, "minApplyDelay": {"type": "string"}}}}},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}}
        """)!.AsObject();

    /// <summary>Plays for a namespace until it is disposed.</summary>
    /// <param name="token">Of somebody who may do everything with clusters there.</param>
    /// <param name="serves">Told whether clients of a cluster's primary can write, before the status says so: whoever stands in for its servers goes by it. Null: nobody does.</param>
    public static CloudNativePgOperator Start(Uri api, string token, string space, Action<string, bool>? serves = null) => new(api, token, space, serves);

    /// <summary>All instances of a cluster are down until <see cref="Return"/>: none is ready.</summary>
    public void Lose(string cluster) => lost[cluster] = true;

    /// <summary>They run again.</summary>
    public void Return(string cluster) => lost.TryRemove(cluster, out _);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        http.Dispose();
        stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var list = JsonNode.Parse(await http.GetStringAsync(new Uri(path, UriKind.Relative), stop.Token));
                foreach (var cluster in list?["items"]?.AsArray() ?? [])
                    await PlayAsync(cluster!.AsObject());
                await Task.Delay(Rhythm, stop.Token);
            }
            catch (Exception failure) when (failure is HttpRequestException or JsonException or OperationCanceledException)
            {
                // Somebody changed it in between, or it ends: looked at again.
            }
        }
    }

    private async Task PlayAsync(JsonObject cluster)
    {
        var name = (string)cluster["metadata"]!["name"]!;
        var replica = cluster["spec"]?["replica"];
        var status = cluster["status"]?.DeepClone().AsObject() ?? [];
        var isReplica = (bool?)replica?["enabled"] ?? ((string?)replica?["primary"] is { Length: > 0 } primary && primary != ((string?)replica["self"] ?? name));
        var fenced = (string?)cluster["metadata"]?["annotations"]?[Fenced] is { } annotation && annotation.Contains('*', StringComparison.Ordinal);
        var token = (string?)replica?["promotionToken"];
        var (switching, isPrimary) = ((bool?)status["switchReplicaClusterStatus"]?["inProgress"] == true, (string?)status["played"] == "primary");
        var next = status.DeepClone().AsObject();
        next["instances"] = (int?)cluster["spec"]?["instances"] ?? 1;
        next["readyInstances"] = fenced || lost.ContainsKey(name) ? 0 : (int)next["instances"]!;
        next["phase"] = "Cluster in healthy state";
        next["timelineID"] ??= 1;
        if (status["played"] is null)
            next["played"] = isReplica ? "replica" : "primary";
        else if (isReplica && isPrimary && !switching)
        {
            serves?.Invoke(name, false);
            await PatchAsync(cluster, "", new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Fenced] = "[\"*\"]" } } });
            next["switchReplicaClusterStatus"] = new JsonObject { ["inProgress"] = true };
            next["readyInstances"] = 0;
            await PatchAsync(cluster, "/status", new JsonObject { ["status"] = next }, anyVersion: true);
            return;
        }
        else if (isReplica && isPrimary)
        {
            next["played"] = "replica";
            next["demotionToken"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(new JsonObject
            {
                ["latestCheckpointTimelineID"] = $"{next["timelineID"]}",
                ["redoWalFile"] = string.Create(CultureInfo.InvariantCulture, $"{(int)next["timelineID"]!:X8}0000000000000042"),
                ["databaseSystemIdentifier"] = "7300000000000000001",
                ["timeOfLatestCheckpoint"] = Guid.NewGuid().ToString(),
            }.ToJsonString()));
            await PatchAsync(cluster, "/status", new JsonObject { ["status"] = next });
            return;
        }
        else if (isReplica && switching)
        {
            await PatchAsync(cluster, "", new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Fenced] = null } } });
            next["switchReplicaClusterStatus"] = new JsonObject { ["inProgress"] = false };
            next["readyInstances"] = next["instances"]!.DeepClone();
            await PatchAsync(cluster, "/status", new JsonObject { ["status"] = next }, anyVersion: true);
            return;
        }
        else if (!isReplica && !isPrimary)
        {
            next["played"] = "primary";
            next["timelineID"] = (int)next["timelineID"]! + 1;
            next["demotionToken"] = null;
            next["lastPromotionToken"] = token;
        }

        if (!isReplica)
            next["demotionToken"] = null;
        serves?.Invoke(name, (string?)next["played"] == "primary" && (int)next["readyInstances"]! > 0);
        if (!JsonNode.DeepEquals(Without(next), status))
            await PatchAsync(cluster, "/status", new JsonObject { ["status"] = next });
    }

    private static JsonObject Without(JsonObject status) => new([.. status.Where(pair => pair.Value is not null).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone()))]);

    private async Task PatchAsync(JsonObject cluster, string subresource, JsonObject patch, bool anyVersion = false)
    {
        if (!anyVersion)
        {
            var metadata = patch["metadata"]?.AsObject() ?? [];
            metadata["resourceVersion"] = cluster["metadata"]!["resourceVersion"]!.DeepClone();
            patch["metadata"] = metadata.Parent is null ? metadata : metadata.DeepClone();
        }

        using var body = new StringContent(patch.ToJsonString());
        body.Headers.ContentType = new MediaTypeHeaderValue("application/merge-patch+json");
        using var answer = await http.PatchAsync(new Uri($"{path}/{(string)cluster["metadata"]!["name"]!}{subresource}", UriKind.Relative), body, stop.Token);
        answer.EnsureSuccessStatusCode();
    }
}
