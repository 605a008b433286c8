using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>The number of replicas of a workload: how many there are to be and are, who else sets it, and setting it.</summary>
/// <remarks>It is written with the workload itself and not through its subresource <c>scale</c>: API servers before 1.22 do not record who wrote that, and provisioning would take the number back.</remarks>
public sealed class Replicas(KubernetesConnection connection)
{
    /// <summary>Of pods: those with the lowest go first (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost).</summary>
    private const string DeletionCost = "controller.kubernetes.io/pod-deletion-cost";

    private static readonly ObjectKind[] Autoscalers = [new("autoscaling/v2", "HorizontalPodAutoscaler"), new("autoscaling/v1", "HorizontalPodAutoscaler")];

    private readonly LiveObjects objects = new(connection);

    /// <summary>Null: there is no such workload.</summary>
    public async Task<LiveReplicas?> FindAsync(ScaledWorkload workload, CancellationToken ct)
    {
        if (await objects.FindAsync(Address(workload), ct) is not { } live)
            return null;
        var (spec, status, annotations) = (live.Manifest["spec"], live.Manifest["status"], live.Manifest["metadata"]?["annotations"]);
        var pods = (await objects.PodsAsync(live, ct))
            .Where(pod => (string?)pod.Manifest["status"]?["phase"] is not ("Succeeded" or "Failed") && pod.Manifest["metadata"]?["deletionTimestamp"] is null)
            .Select(pod => pod.Address.Name).Order(StringComparer.Ordinal);
        return new(
            (string)live.Manifest["metadata"]!["uid"]!, (int?)spec?["replicas"] ?? 1,
            // What the controller has not seen yet says nothing about the number that is asked for now.
            (long?)status?["observedGeneration"] >= (long?)live.Manifest["metadata"]?["generation"] ? (int?)status?["readyReplicas"] ?? 0 : 0,
            await OwnerAsync(workload, ct), [.. pods], Temporary(annotations), live);
    }

    /// <summary>Sets the number, when it is still the one that was decided on. Says nothing new when it is set already.</summary>
    /// <param name="uid">Of the workload that was looked at; another one of the same name is not touched.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it is another number, or another workload, by now.</exception>
    public async Task SetAsync(ScaledWorkload workload, string uid, int from, int to, string operation, string reason, TemporaryScale? temporary, CancellationToken ct)
    {
        var address = Address(workload);
        if (await objects.FindAsync(address, ct) is not { } live || (string?)live.Manifest["metadata"]?["uid"] != uid)
            throw Moved(address, "it is not the one that was looked at");
        var there = (int?)live.Manifest["spec"]?["replicas"] ?? 1;
        if (there != from && there != to)
            throw Moved(address, $"{there.ToString(CultureInfo.InvariantCulture)} replicas are wanted by now, and {from.ToString(CultureInfo.InvariantCulture)} were when it was decided");
        await PatchAsync(address, "apps/v1", new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["uid"] = uid,
                ["resourceVersion"] = live.Manifest["metadata"]!["resourceVersion"]!.DeepClone(),
                ["annotations"] = new JsonObject
                {
                    [ScaleMarks.By] = operation,
                    [ScaleMarks.Reason] = reason,
                    // Null takes an annotation away.
                    [ScaleMarks.Until] = temporary is null ? null : ScaleMarks.Text(temporary.Until),
                    [ScaleMarks.Before] = temporary?.Before.ToString(CultureInfo.InvariantCulture),
                },
            },
            ["spec"] = new JsonObject { ["replicas"] = to },
        }, ct);
    }

    /// <summary>Tells the cluster which pods of a workload may go first. A pod that is gone is done.</summary>
    public async Task PreferAsync(ScaledWorkload workload, IReadOnlyCollection<string> spare, CancellationToken ct)
    {
        if (await objects.FindAsync(Address(workload), ct) is not { } live)
            return;
        foreach (var pod in await objects.PodsAsync(live, ct))
        {
            var (cost, known) = (spare.Contains(pod.Address.Name) ? "-1000" : null, (string?)pod.Manifest["metadata"]?["annotations"]?[DeletionCost]);
            if (cost != known)
                await PatchAsync(pod.Address, "v1", new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [DeletionCost] = cost } } }, ct, mayBeGone: true);
        }
    }

    private ResourceAddress Address(ScaledWorkload workload) => new(connection.Region, "apps/v1", workload.Kind, workload.Namespace, workload.Name);

    /// <summary>Null: nobody but us. KEDA works through a HorizontalPodAutoscaler too.</summary>
    private async Task<string?> OwnerAsync(ScaledWorkload workload, CancellationToken ct)
    {
        if (await objects.ServedAsync(Autoscalers, ct) is not [var kind, ..])
            return null;
        return (await objects.ListAsync(kind, workload.Namespace, "", ct))
            .Where(autoscaler => autoscaler.Manifest["spec"]?["scaleTargetRef"] is { } target && (string?)target["kind"] == workload.Kind && (string?)target["name"] == workload.Name)
            .Select(autoscaler => $"HorizontalPodAutoscaler {workload.Namespace}/{autoscaler.Address.Name}").FirstOrDefault();
    }

    private async Task PatchAsync(ResourceAddress address, string apiVersion, JsonObject patch, CancellationToken ct, bool mayBeGone = false)
    {
        var kind = await connection.Kinds.FindAsync(new(apiVersion, address.Kind), ct);
        var call = new ApiCall(HttpMethod.Patch, $"{kind.Path(address.Namespace, address.Name)}?fieldManager={ScaleMarks.FieldManager}", "patch", LiveObjects.InWords(address))
        {
            Body = patch,
            ContentType = "application/merge-patch+json",
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer && !mayBeGone)
            throw connection.Failures.Absent(call, answer);
    }

    private AdapterException Moved(ResourceAddress address, string why) =>
        new(AdapterFailureKind.Moved, $"{LiveObjects.InWords(address)} in {connection.Region} was not scaled: {why}.");

    private static TemporaryScale? Temporary(JsonNode? annotations) =>
        int.TryParse((string?)annotations?[ScaleMarks.Before], NumberStyles.None, CultureInfo.InvariantCulture, out var before)
        && DateTimeOffset.TryParse((string?)annotations?[ScaleMarks.Until], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until)
            ? new((string?)annotations?[ScaleMarks.By] ?? "", before, until)
            : null;
}

/// <summary>A workload's replicas.</summary>
/// <param name="Wanted">How many there are to be.</param>
/// <param name="Owner">Who else sets the number; null: nobody.</param>
/// <param name="Pods">The names of those that are not on their way out.</param>
/// <param name="Workload">As it was read.</param>
public sealed record LiveReplicas(string Uid, int Wanted, int Ready, string? Owner, IReadOnlyList<string> Pods, TemporaryScale? Temporary, ObservedObject Workload);
