using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>Where a node's <c>Cluster</c> resource is.</summary>
public sealed record CloudNativePgNode(string Namespace, string Cluster);

/// <summary>PostgreSQL under CloudNativePG: a <c>Cluster</c> in each region, the two of them a distributed topology (<c>spec.replica.primary</c>, <c>source</c>). Failover within a region stays with
/// the operator; here the two change places. Every patch names the resourceVersion that was read and carries the epoch as an annotation, so that an old epoch changes nothing.</summary>
/// <remarks>A planned change demotes (<c>spec.replica.primary</c> names the other), waits for <c>status.demotionToken</c>, and promotes with that token: <c>primary</c> and <c>promotionToken</c> in
/// one patch. An unplanned one fences the old cluster (annotation <c>cnpg.io/fencedInstances</c>) and promotes without a token; then the old cluster has to be made anew by its owner, for the operator
/// does not rewind between clusters.</remarks>
public sealed class CloudNativePostgres : OperatedDatabase, IDisposable
{
    private const string EpochAnnotation = "platformops.io/epoch", FencedAnnotation = "cnpg.io/fencedInstances", Everybody = "[\"*\"]";

    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(250);

    private readonly IReadOnlyDictionary<string, (KubernetesConnection Connection, CloudNativePgNode Place)> clusters;

    /// <param name="clusters">By node.</param>
    public CloudNativePostgres(IReadOnlyDictionary<string, (KubernetesConnection Connection, CloudNativePgNode Place)> clusters, IWitness witness, TimeProvider time)
        : base([.. clusters.Keys], witness, time, Often) => this.clusters = clusters;

    /// <summary>3 min: a demotion waits until the old primary has shut down and archived its log.</summary>
    public override TimeSpan ClosesWithin => TimeSpan.FromMinutes(3);

    /// <inheritdoc/>
    protected override string What => "The Cluster";

    /// <inheritdoc/>
    public override async Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct) => (await ReadAsync(node, ct)).ToNode(node);

    /// <summary>Nothing is exported: the operator gives no way to the log of a cluster that is fenced. Its volumes stay until their owner removes them.</summary>
    public override Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct) => Task.FromResult(new Divergence(0, 0, 0, 0, null));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (connection, _) in clusters.Values)
            connection.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task CloseAsync(string node, string other, long epoch, bool planned, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        RefuseOld(node, found.Epoch, epoch);
        if (!planned)
        {
            // One that is on its way to being demoted goes on: its token is worth more than a fence.
            if (!found.IsReplica && !found.EveryInstanceFenced)
                await PatchAsync(node, found, epoch, null, new JsonObject { [FencedAnnotation] = Everybody }, ct);
            return;
        }

        if (found.IsReplica)
            return;
        var name = (await ReadAsync(other, ct)).Self;
        await PatchAsync(node, found, epoch, new JsonObject { ["primary"] = name, ["source"] = found.SourceFor(name), ["promotionToken"] = null }, null, ct);
    }

    /// <inheritdoc/>
    protected override async Task ReopenAsync(string node, long epoch, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        RefuseOld(node, found.Epoch, epoch);
        if (!found.IsReplica)
            await PatchAsync(node, found, epoch, null, new JsonObject { [FencedAnnotation] = null }, ct);
        else if (found.DemotionToken is { } own && !found.Switching)
            // Its own token: it has everything up to there.
            await PatchAsync(node, found, epoch, new JsonObject { ["primary"] = found.Self, ["promotionToken"] = own }, new JsonObject { [FencedAnnotation] = null }, ct);
        else
            throw NoToken(node, "serve again");
    }

    /// <inheritdoc/>
    protected override async Task MakePrimaryAsync(string node, DatabaseNode? other, long epoch, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        RefuseOld(node, found.Epoch, epoch);
        if (!found.IsReplica)
            return;
        var before = other is null ? null : await ReadAsync(Other(node), ct);
        // One that was demoted has handed everything over, and says where its log ends. Without that the promotion would not wait for it.
        if (before is { IsReplica: true } && (before.Switching || before.DemotionToken is null))
            throw NoToken(Other(node), "be followed by a promotion");
        var token = before is { IsReplica: true } ? before.DemotionToken : null;
        await PatchAsync(node, found, epoch, new JsonObject { ["primary"] = found.Self, ["promotionToken"] = token }, new JsonObject { [FencedAnnotation] = null }, ct);
    }

    /// <inheritdoc/>
    protected override async Task MakeStandbyAsync(string node, string primary, long epoch, CancellationToken ct)
    {
        var found = await ReadAsync(node, ct);
        RefuseOld(node, found.Epoch, epoch);
        var name = (await ReadAsync(primary, ct)).Self;
        // The fence goes in the same patch in which it becomes a replica: there is no moment in which it could serve.
        if (found.Primary != name || found.EveryInstanceFenced)
            await PatchAsync(node, found, epoch, new JsonObject { ["primary"] = name, ["source"] = found.SourceFor(name), ["promotionToken"] = null }, new JsonObject { [FencedAnnotation] = null }, ct);
    }

    private static AdapterException NoToken(string node, string what) => new(
        AdapterFailureKind.Unavailable, $"The Cluster of {node} cannot {what} yet: it was demoted and has given no demotion token. Promoting without it would lose what is still on its way, and cost its rebuild.");

    private static string Path(CloudNativePgNode place) =>
        $"/apis/postgresql.cnpg.io/v1/namespaces/{Uri.EscapeDataString(place.Namespace)}/clusters/{Uri.EscapeDataString(place.Cluster)}";

    private (KubernetesConnection Connection, CloudNativePgNode Place) At(string node) =>
        clusters.TryGetValue(node, out var at) ? at : throw new AdapterException(AdapterFailureKind.Rejected, $"There is no Cluster of {node}: there are those of {string.Join(", ", clusters.Keys)}. Correct the connections.");

    private async Task<CloudNativePgCluster> ReadAsync(string node, CancellationToken ct)
    {
        var (connection, place) = At(node);
        var answer = await connection.SendAsync(ApiCall.Get(Path(place), "get", Subject(place)), ct);
        return answer.Missing
            ? throw new AdapterException(AdapterFailureKind.Rejected, $"{Subject(place)} does not exist in {connection.Region}. Create it, or correct failover.*.nodes.{node} in the connections file.")
            : new(answer.Body);
    }

    private async Task PatchAsync(string node, CloudNativePgCluster found, long epoch, JsonObject? replica, JsonObject? annotations, CancellationToken ct)
    {
        var (connection, place) = At(node);
        if (replica is not null && !found.Distributed)
            throw new AdapterException(
                AdapterFailureKind.Rejected, $"{Subject(place)} in {connection.Region} has no spec.replica with primary and source: it is no part of a distributed topology, and cannot change places. See docs/runbooks/failover.md.");
        var marks = annotations ?? [];
        marks[EpochAnnotation] = epoch.ToString(CultureInfo.InvariantCulture);
        var body = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = found.Version, ["annotations"] = marks } };
        if (replica is not null)
            body["spec"] = new JsonObject { ["replica"] = replica };
        var answer = await connection.SendAsync(
            new ApiCall(HttpMethod.Patch, Path(place), "patch", Subject(place)) { ContentType = "application/merge-patch+json", Body = body }, ct);
        if (answer.Missing)
            throw new AdapterException(AdapterFailureKind.Moved, $"{Subject(place)} was deleted by somebody else. Look again.");
    }

    private static string Subject(CloudNativePgNode place) => $"Cluster {place.Namespace}/{place.Cluster}";

    /// <summary>What a <c>Cluster</c> says.</summary>
    private sealed class CloudNativePgCluster(JsonObject cluster)
    {
        private JsonNode? Replica => cluster["spec"]?["replica"];

        private JsonNode? Status => cluster["status"];

        public string Version => (string?)cluster["metadata"]?["resourceVersion"] ?? "";

        public string Self => (string?)Replica?["self"] ?? (string?)cluster["metadata"]?["name"] ?? "";

        public string? Primary => (string?)Replica?["primary"];

        public bool Distributed => Primary is { Length: > 0 };

        /// <summary>As the operator decides it: <c>enabled</c> where it is stated, else whom <c>primary</c> names.</summary>
        public bool IsReplica => (bool?)Replica?["enabled"] ?? (Distributed && Primary != Self);

        public bool EveryInstanceFenced => Annotation(FencedAnnotation) is { } fenced && fenced.Contains("\"*\"", StringComparison.Ordinal);

        public long Epoch => long.TryParse(Annotation(EpochAnnotation), out var epoch) ? epoch : 0;

        public string? DemotionToken => (string?)Status?["demotionToken"] is { Length: > 0 } token ? token : null;

        /// <summary>The operator is carrying out a change between primary and replica.</summary>
        public bool Switching => (bool?)Status?["switchReplicaClusterStatus"]?["inProgress"] == true;

        private int Ready => (int?)Status?["readyInstances"] ?? 0;

        /// <summary>A promotion with a token has ended when the operator says that it was used.</summary>
        private bool Promoted => !Switching && (string?)Replica?["promotionToken"] is var token && (string.IsNullOrEmpty(token) || token == (string?)Status?["lastPromotionToken"]);

        /// <summary>The external cluster that is followed when somebody else is primary; where none of that name is declared, the one that is.</summary>
        public string SourceFor(string primary) => (cluster["spec"]?["externalClusters"] as JsonArray ?? []).Any(known => (string?)known?["name"] == primary) ? primary : (string?)Replica?["source"] ?? primary;

        public DatabaseNode ToNode(string name)
        {
            // While it demotes, the operator fences everything itself: then only the token says that it has ended.
            var closed = IsReplica ? !Switching && DemotionToken is not null : EveryInstanceFenced && Ready == 0;
            var role = Ready == 0 ? NodeRole.Stopped : IsReplica ? NodeRole.Standby : Promoted ? NodeRole.Primary : NodeRole.Unknown;
            return new()
            {
                Name = name,
                Role = role,
                Writable = role == NodeRole.Primary && !EveryInstanceFenced,
                Fenced = closed,
                Epoch = Epoch,
                Timeline = (int?)Status?["timelineID"] is > 0 and var timeline ? timeline : null,
                Streaming = role == NodeRole.Standby ? !Switching : null,
                Trouble = EveryInstanceFenced ? "Every instance is fenced."
                    : Ready == 0 ? $"No instance is ready: {(string?)Status?["phase"] ?? "the operator says nothing"}{((string?)Status?["phaseReason"] is { Length: > 0 } why ? $" ({why})" : "")}." : null,
            };
        }

        private string? Annotation(string name) => (string?)cluster["metadata"]?["annotations"]?[name];
    }
}
