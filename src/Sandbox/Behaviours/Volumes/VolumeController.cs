using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours.Volumes;

/// <summary>
/// Gives every claim a volume of its own, as a storage class would, and takes it away with the claim; lets go of claims that nobody
/// uses any more. Its keys are those of claims.
/// </summary>
internal sealed class VolumeController : Controller
{
    private const string ClaimProtection = "kubernetes.io/pvc-protection";
    private const string Driver = "sandbox.platformops.dev";
    private const string VolumeProtection = "kubernetes.io/pv-protection";

    public VolumeController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.Claims);
        On(Resources.Volumes, change => ClaimOf(change.Latest) is { } claim ? [claim] : []);
        // The last pod that goes frees the claim.
        On(Resources.Pods, change => change.After is { } pod && !PodState.IsFinished(pod)
            ? []
            : Mounted(change.Latest).Select(name => new ObjectKey(change.Latest.Namespace, name)));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        var claim = Cluster.Of(Resources.Claims).Find(key);
        foreach (var volume in Cluster.Of(Resources.Volumes).All.Where(volume => ClaimOf(volume) == key).ToList())
            if (volume.Spec.At("claimRef").Text("uid") is { } uid && uid != claim?.Uid)
                await ReclaimAsync(volume, ct);
        if (claim is { Deleting: true })
            await LetGoAsync(claim, ct);
        else if (claim is not null)
            await BindAsync(claim, ct);
    }

    private static ObjectKey? ClaimOf(ClusterObject volume) =>
        volume.Spec.At("claimRef") is { } claim ? new(claim.Text("namespace") ?? "", claim.Text("name") ?? "") : null;

    private static IEnumerable<string> Mounted(ClusterObject pod) =>
        pod.Spec.Items("volumes").Select(volume => volume.At("persistentVolumeClaim").Text("claimName")).OfType<string>();

    private async Task BindAsync(ClusterObject claim, CancellationToken ct)
    {
        var size = claim.Spec.At("resources").At("requests").Text("storage") ?? "1Gi";
        if (claim.Spec.Text("volumeName") is not { Length: > 0 } name)
        {
            name = $"pvc-{claim.Uid}";
            if (Cluster.Of(Resources.Volumes).Find("", name) is null)
                await Cluster.CreateAsync(Resources.Volumes, "", Volume(claim, name, size), ct);
            claim = await Cluster.PatchAsync(claim, new JsonObject { ["spec"] = new JsonObject { ["volumeName"] = name } }, ct);
        }
        if (Cluster.Of(Resources.Volumes).Find("", name) is not { } volume)
            return;
        // A claim that asks for more gets more.
        if (volume.Name == $"pvc-{claim.Uid}" && volume.Spec.At("capacity").Text("storage") != size)
        {
            var larger = new JsonObject { ["capacity"] = new JsonObject { ["storage"] = size } };
            volume = await Cluster.PatchAsync(volume, new JsonObject { ["spec"] = larger }, ct);
        }
        await Cluster.PatchStatusAsync(volume, new JsonObject { ["phase"] = "Bound" }, ct);
        await Cluster.PatchStatusAsync(claim, new JsonObject
        {
            ["phase"] = "Bound",
            ["accessModes"] = claim.Spec.At("accessModes")?.DeepClone(),
            ["capacity"] = new JsonObject { ["storage"] = volume.Spec.At("capacity").Text("storage") },
        }, ct);
    }

    private static JsonObject Volume(ClusterObject claim, string name, string size)
    {
        var spec = new JsonObject
        {
            ["capacity"] = new JsonObject { ["storage"] = size },
            ["accessModes"] = claim.Spec.At("accessModes")?.DeepClone(),
            ["persistentVolumeReclaimPolicy"] = "Delete",
            ["volumeMode"] = claim.Spec.Text("volumeMode") ?? "Filesystem",
            ["claimRef"] = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "PersistentVolumeClaim",
                ["namespace"] = claim.Namespace,
                ["name"] = claim.Name,
                ["uid"] = claim.Uid,
            },
            ["csi"] = new JsonObject { ["driver"] = Driver, ["volumeHandle"] = name },
        };
        if (claim.Spec.Text("storageClassName") is { } storageClass)
            spec["storageClassName"] = storageClass;
        return new() { ["metadata"] = new JsonObject { ["name"] = name, ["annotations"] = new JsonObject { ["pv.kubernetes.io/provisioned-by"] = Driver } }, ["spec"] = spec };
    }

    private async Task LetGoAsync(ClusterObject claim, CancellationToken ct)
    {
        var used = Cluster.Of(Resources.Pods).In(claim.Namespace).Any(pod => !PodState.IsFinished(pod) && Mounted(pod).Contains(claim.Name));
        if (!used)
            await Cluster.RemoveFinalizerAsync(claim, ClaimProtection, ct);
    }

    private async Task ReclaimAsync(ClusterObject volume, CancellationToken ct)
    {
        if (volume.Deleting)
            await Cluster.RemoveFinalizerAsync(volume, VolumeProtection, ct);
        else if (volume.Spec.Text("persistentVolumeReclaimPolicy") == "Delete")
            await Cluster.DeleteAsync(volume, ct);
        else
            await Cluster.PatchStatusAsync(volume, new JsonObject { ["phase"] = "Released" }, ct);
    }
}
