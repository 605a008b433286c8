using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Kinds;
using PlatformOps.Sandbox.Storage;

namespace PlatformOps.Sandbox.Writes;

/// <summary>Removes objects: at once when nothing holds them, else by marking them, so that who holds them (finalizers, a kubelet, a namespace's contents)
/// can let go first.</summary>
internal sealed class ObjectRemover(ObjectStore store, KindRegistry kinds, TimeProvider time)
{
    private const string Foreground = "foregroundDeletion";
    private const string Orphan = "orphan";
    private const string DefinitionCleanup = "customresourcecleanup.apiextensions.k8s.io";

    /// <returns>The object as it is now, and whether it is gone.</returns>
    /// <exception cref="ApiFailure">It does not exist, or is not what the preconditions say.</exception>
    public (JsonObject Value, bool Gone) Delete(WriteRequest request, DeleteOptions options)
    {
        lock (store.Gate)
        {
            var live = store.Find(ObjectKey.Of(request.Kind, request.Namespace, request.Name)) ?? throw ApiFailure.NotFound(request.Kind, request.Name);
            var metadata = live.Value["metadata"]!;
            if (options.Uid is { } uid && uid != metadata["uid"].Text())
                throw ApiFailure.Conflict(request.Kind, request.Name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata["uid"].Text()}");
            if (options.ResourceVersion is { } version && version != metadata["resourceVersion"].Text())
                throw ApiFailure.Conflict(request.Kind, request.Name, $"Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {metadata["resourceVersion"].Text()}");

            var next = Marked(request.Kind, live, options);
            var gone = IsFree(request.Kind, next);
            if (request.DryRun)
                return (next, gone);
            if (gone)
                return ((JsonObject)Remove(request.Kind, live).Value.DeepClone(), true);
            if (JsonNode.DeepEquals(next, live.Value))
                return (next, false);
            var stored = store.Put(live.Key, next);
            AfterWrite(request.Kind, stored);
            return ((JsonObject)stored.Value.DeepClone(), store.Find(live.Key) is null);
        }
    }

    /// <summary>Follows up on a write: an object that is being deleted and that nothing holds any more goes; definitions change what is served.</summary>
    public void AfterWrite(ResourceKind kind, StoredObject stored)
    {
        if (stored.Value["metadata"]?["deletionTimestamp"] is not null)
        {
            if (kind.Kind == "CustomResourceDefinition")
                CleanUp(stored);
            else if (IsFree(kind, stored.Value))
                Remove(kind, stored);
        }

        if (kind.Kind == "CustomResourceDefinition")
            Reload();
    }

    /// <summary>Takes over the definitions that are stored.</summary>
    public void Reload() =>
        kinds.Reload(store.List(BuiltInKinds.Named("CustomResourceDefinition").StorageKey, null).Objects.Select(definition => definition.Value));

    private static bool IsFree(ResourceKind kind, JsonObject value)
    {
        var metadata = value["metadata"]!;
        if (metadata["finalizers"] is JsonArray { Count: > 0 })
            return false;
        return kind.Kind switch
        {
            "Namespace" => value["spec"]?["finalizers"] is not JsonArray { Count: > 0 },
            "Pod" => metadata["deletionGracePeriodSeconds"].Number() is 0,
            _ => true,
        };
    }

    private static List<string> Finalizers(JsonNode metadata) => [.. (metadata["finalizers"] as JsonArray ?? []).Select(item => (string)item!)];

    private JsonObject Marked(ResourceKind kind, StoredObject live, DeleteOptions options)
    {
        var next = (JsonObject)live.Value.DeepClone();
        var metadata = next.Child("metadata");
        var grace = kind.Kind == "Pod" ? GracePeriod(next, options) : 0;
        var finalizers = Finalizers(metadata);
        // Jobs of batch/v1 leave their pods alone unless told otherwise; everything else takes its dependents along.
        var propagation = options.Propagation ?? (kind.Kind == "Job" ? "Orphan" : "Background");
        if (metadata["deletionTimestamp"] is null)
        {
            metadata["deletionTimestamp"] = JsonText.Timestamp(time.GetUtcNow().AddSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = grace;
            if (kind.Kind == "Namespace")
                next.Child("status")["phase"] = "Terminating";
            if (kind.Kind == "CustomResourceDefinition" && !finalizers.Contains(DefinitionCleanup))
                finalizers.Add(DefinitionCleanup);
            finalizers.RemoveAll(name => name is Foreground or Orphan);
            if (propagation == "Foreground")
                finalizers.Add(Foreground);
            if (propagation == "Orphan" && kind.Kind is "Deployment" or "ReplicaSet" or "StatefulSet" or "DaemonSet" or "Job" or "CronJob")
                finalizers.Add(Orphan);
        }
        else if (kind.Kind == "Pod" && grace < (metadata["deletionGracePeriodSeconds"].Number() ?? 0))
        {
            metadata["deletionGracePeriodSeconds"] = grace;
        }

        metadata.Remove("finalizers");
        if (finalizers.Count > 0)
            metadata["finalizers"] = new JsonArray([.. finalizers.Select(name => JsonValue.Create(name))]);
        return next;
    }

    private static long GracePeriod(JsonObject pod, DeleteOptions options)
    {
        if (pod["spec"]?["nodeName"].Text() is not { Length: > 0 } || pod["status"]?["phase"].Text() is "Succeeded" or "Failed")
            return 0;
        return options.GracePeriodSeconds ?? pod["spec"]?["terminationGracePeriodSeconds"].Number() ?? 30;
    }

    private StoredObject Remove(ResourceKind kind, StoredObject live)
    {
        var gone = store.Remove(live);
        if (kind.Kind == "CustomResourceDefinition")
            Reload();
        if (kind.Custom && store.Find(ObjectKey.Of(BuiltInKinds.Named("CustomResourceDefinition"), null, kind.Resource)) is { } definition
            && definition.Value["metadata"]?["deletionTimestamp"] is not null)
        {
            CleanUp(definition);
        }

        return gone;
    }

    /// <summary>A definition goes when its last object has gone.</summary>
    private void CleanUp(StoredObject definition)
    {
        var group = (string)definition.Value["spec"]!["group"]!;
        var plural = (string)definition.Value["spec"]!["names"]!["plural"]!;
        var kind = kinds.All.FirstOrDefault(candidate => candidate.Custom && candidate.Group == group && candidate.Plural == plural);
        var left = store.List($"{group}/{plural}", null).Objects;
        if (kind is not null && left.Count > 0)
        {
            foreach (var item in left.Where(item => item.Value["metadata"]?["deletionTimestamp"] is null))
                Delete(new(kind, item.Key.Namespace, item.Key.Name, "sandbox"), new(null, "Background", null, null));
            return;
        }

        if (store.Find(definition.Key) is not { } live)
            return;
        var next = (JsonObject)live.Value.DeepClone();
        var others = Finalizers(next["metadata"]!).Where(name => name != DefinitionCleanup).ToList();
        next.Child("metadata").Remove("finalizers");
        if (others.Count > 0)
            next.Child("metadata")["finalizers"] = new JsonArray([.. others.Select(name => JsonValue.Create(name))]);
        var stored = JsonNode.DeepEquals(next, live.Value) ? live : store.Put(live.Key, next);
        // Others, as foreground deletion, may let go before or after the cleanup.
        if (others.Count == 0)
            Remove(BuiltInKinds.Named("CustomResourceDefinition"), stored);
    }
}
