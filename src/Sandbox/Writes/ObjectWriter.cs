using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Fields;
using PlatformOps.Sandbox.Kinds;
using PlatformOps.Sandbox.Storage;

namespace PlatformOps.Sandbox.Writes;

/// <summary>Creates, updates and patches objects: defaults, validation, managed fields, generation and resource version, as a real server does.
/// Every write is decided and done under the store's lock.</summary>
internal sealed class ObjectWriter(ObjectStore store, KindRegistry kinds, TimeProvider time)
{
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    private static readonly string[] ServerKept =
        ["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

    private readonly ObjectRemover remover = new(store, kinds, time);

    public ObjectRemover Remover => remover;

    /// <exception cref="ApiFailure">It exists, its namespace does not, or it is invalid.</exception>
    public JsonObject Create(WriteRequest request, JsonObject body)
    {
        lock (store.Gate)
        {
            Check(request, body);
            var metadata = body.Child("metadata");
            if (metadata["resourceVersion"].Text() is { Length: > 0 })
                throw ApiFailure.BadRequest("resourceVersion should not be set on objects to be created");
            if (metadata["name"].Text() is not { Length: > 0 } && metadata["generateName"].Text() is { Length: > 0 } prefix)
                metadata["name"] = prefix + Suffix();
            var name = metadata["name"].Text() ?? "";
            if (name.Length == 0)
                throw ApiFailure.Invalid(request.Kind, "", [FieldProblem.Required("metadata.name", "name or generateName is required")]);
            var key = ObjectKey.Of(request.Kind, request.Namespace, name);
            if (store.Find(key) is not null)
                throw ApiFailure.AlreadyExists(request.Kind, name);
            return Commit(request with { Name = name }, key, null, Named(body, request, name), managed: false);
        }
    }

    /// <exception cref="ApiFailure">It does not exist, has moved, or would be invalid.</exception>
    public JsonObject Update(WriteRequest request, JsonObject body)
    {
        lock (store.Gate)
        {
            Check(request, body);
            var stated = body["metadata"]?["name"].Text();
            if (stated is { Length: > 0 } && stated != request.Name)
                throw ApiFailure.BadRequest($"the name of the object ({stated}) does not match the name on the URL ({request.Name})");
            var key = ObjectKey.Of(request.Kind, request.Namespace, request.Name);
            var live = store.Find(key) ?? throw ApiFailure.NotFound(request.Kind, request.Name);
            CheckVersion(request, live, body["metadata"]);
            return Commit(request, key, live, Named(body, request, request.Name), managed: false);
        }
    }

    /// <param name="force">For <see cref="PatchKind.Apply"/>: take fields over from other managers.</param>
    /// <exception cref="ApiFailure">It does not exist (an apply creates it), has moved, fields belong to others, or it would be invalid.</exception>
    public JsonObject Patch(WriteRequest request, PatchKind patchKind, JsonNode patch, bool force)
    {
        lock (store.Gate)
        {
            var key = ObjectKey.Of(request.Kind, request.Namespace, request.Name);
            var live = store.Find(key);
            if (patchKind == PatchKind.Apply)
                return Apply(request, key, live, patch as JsonObject ?? throw ApiFailure.BadRequest("an apply takes one object"), force);
            if (live is null)
                throw ApiFailure.NotFound(request.Kind, request.Name);
            var next = patchKind switch
            {
                PatchKind.Json => JsonPatch.Apply(live.Value, patch as JsonArray ?? throw ApiFailure.BadRequest("a JSON patch is a list of operations")),
                PatchKind.Strategic => StrategicMergePatch.Apply(request.Kind, live.Value, patch as JsonObject ?? throw ApiFailure.BadRequest("a patch is an object")),
                _ => MergePatch.Apply(live.Value, patch as JsonObject ?? throw ApiFailure.BadRequest("a patch is an object")),
            };
            CheckVersion(request, live, next["metadata"]);
            return Commit(request, key, live, Named(next, request, request.Name), managed: false);
        }
    }

    /// <summary>Gives a pod its node.</summary>
    public void Bind(WriteRequest request, string node)
    {
        lock (store.Gate)
        {
            var key = ObjectKey.Of(request.Kind, request.Namespace, request.Name);
            var live = store.Find(key) ?? throw ApiFailure.NotFound(request.Kind, request.Name);
            if (live.Value["spec"]?["nodeName"].Text() is { Length: > 0 } taken)
                throw ApiFailure.Conflict(request.Kind, request.Name, $"pod {request.Name} is already assigned to node \"{taken}\"");
            var next = (JsonObject)live.Value.DeepClone();
            next.Child("spec")["nodeName"] = node;
            Commit(request, key, live, next, managed: false);
        }
    }

    private static JsonObject Named(JsonObject body, WriteRequest request, string name)
    {
        body["apiVersion"] = request.Kind.ApiVersion;
        body["kind"] = request.Kind.Kind;
        var metadata = body.Child("metadata");
        metadata["name"] = name;
        if (request.Kind.Namespaced)
            metadata["namespace"] = request.Namespace;
        else
            metadata.Remove("namespace");
        return body;
    }

    private static void CheckVersion(WriteRequest request, StoredObject live, JsonNode? metadata)
    {
        if (metadata?["resourceVersion"].Text() is { Length: > 0 } version && version != live.Value["metadata"]!["resourceVersion"].Text())
            throw ApiFailure.Moved(request.Kind, request.Name);
        var uid = live.Value["metadata"]!["uid"].Text();
        if (metadata?["uid"].Text() is { Length: > 0 } stated && stated != uid)
            throw ApiFailure.Conflict(request.Kind, request.Name, $"Precondition failed: UID in precondition: {stated}, UID in object meta: {uid}");
    }

    private static void Check(WriteRequest request, JsonObject body)
    {
        var (version, kind) = (body["apiVersion"].Text() ?? "", body["kind"].Text() ?? "");
        if (version.Length > 0 && kind.Length > 0 && (version != request.Kind.ApiVersion || kind != request.Kind.Kind))
            throw ApiFailure.BadRequest($"the API version in the data ({version}, Kind={kind}) does not match the expected API version ({request.Kind.ApiVersion}, Kind={request.Kind.Kind})");
        if (body["metadata"] is not (null or JsonObject))
            throw ApiFailure.BadRequest("metadata is not an object");
        var space = body["metadata"]?["namespace"].Text();
        if (request.Kind.Namespaced && space is { Length: > 0 } && space != request.Namespace)
            throw ApiFailure.BadRequest($"the namespace of the provided object does not match the namespace sent on the request: {space}, {request.Namespace}");
    }

    private static string Suffix() => string.Concat(Enumerable.Range(0, 5).Select(_ => Alphabet[Random.Shared.Next(Alphabet.Length)]));

    private static bool SameButBookkeeping(JsonObject left, JsonObject right)
    {
        JsonObject Bare(JsonObject whole)
        {
            var copy = (JsonObject)whole.DeepClone();
            foreach (var name in new[] { "managedFields", "resourceVersion", "generation" })
                copy.Child("metadata").Remove(name);
            return copy;
        }

        return JsonNode.DeepEquals(Bare(left), Bare(right));
    }

    private static bool SameWithoutTimes(JsonNode? left, JsonNode? right)
    {
        static JsonNode? Bare(JsonNode? entries)
        {
            var copy = entries?.DeepClone();
            foreach (var entry in copy as JsonArray ?? [])
                (entry as JsonObject)?.Remove("time");
            return copy;
        }

        return JsonNode.DeepEquals(Bare(left), Bare(right));
    }

    private static bool SameSpec(JsonObject left, JsonObject right)
    {
        static JsonObject Bare(JsonObject whole) =>
            new(whole.Where(field => field.Key is not ("metadata" or "status" or "apiVersion" or "kind")).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
        return JsonNode.DeepEquals(Bare(left), Bare(right));
    }

    private JsonObject Apply(WriteRequest request, ObjectKey key, StoredObject? live, JsonObject applied, bool force)
    {
        Check(request, applied);
        if (applied["metadata"]?["managedFields"] is not null)
            throw ApiFailure.BadRequest("metadata.managedFields must be nil");
        if (live is null && request.Subresource.Length > 0)
            throw ApiFailure.NotFound(request.Kind, request.Name);
        if (live is not null)
            CheckVersion(request, live, applied["metadata"]);
        else if (applied["metadata"]?["uid"] is not null)
            throw ApiFailure.Conflict(request.Kind, request.Name, "uid mismatch: the provided object specified uid, and no existing object was found");
        foreach (var name in ServerKept)
            (applied["metadata"] as JsonObject)?.Remove(name);
        if (request.Kind.HasStatus && request.Subresource.Length == 0)
            applied.Remove("status");
        applied = Named(applied, request, request.Name);
        if (!request.Kind.Custom)
            Quantities.Normalise(applied);
        var merged = ServerSideApply.Apply(request.Kind, live?.Value, applied, request.Writer, force, JsonText.Timestamp(time.GetUtcNow()));
        return Commit(request, key, live, merged, managed: true);
    }

    /// <param name="managed">Whether <paramref name="next"/> has its managed fields already.</param>
    private JsonObject Commit(WriteRequest request, ObjectKey key, StoredObject? live, JsonObject next, bool managed)
    {
        var kind = request.Kind;
        var now = JsonText.Timestamp(time.GetUtcNow());
        if (live is null)
            CheckPlace(kind, request.Namespace, request.Name);
        next = Scoped(request, live, next);
        KeepWhatIsTheServers(next, live, now);
        Defaults.Fill(kind, next, live?.Value);
        Validation.Check(kind, next, live?.Value);
        if (!managed)
        {
            // Whoever sends managed fields with a change sets them; what the change itself writes is added.
            var fields = ManagedFields.Of(live is not null && next["metadata"]?["managedFields"] is JsonArray { Count: > 0 } ? next : live?.Value);
            fields.Update(new(kind), live?.Value, next, request.Writer, now);
            fields.WriteTo(next);
        }

        if (live is not null && SameButBookkeeping(live.Value, next) && SameWithoutTimes(live.Value["metadata"]?["managedFields"], next["metadata"]?["managedFields"]))
            return (JsonObject)live.Value.DeepClone();
        if (kind.HasGeneration)
            next.Child("metadata")["generation"] = live is null ? 1 : (live.Value["metadata"]!["generation"].Number() ?? 1) + (SameSpec(live.Value, next) ? 0 : 1);
        if (request.DryRun)
            return next;
        var stored = store.Put(key, next);
        remover.AfterWrite(kind, stored);
        return (JsonObject)stored.Value.DeepClone();
    }

    /// <summary>The main path does not write status, the status path nothing else.</summary>
    private static JsonObject Scoped(WriteRequest request, StoredObject? live, JsonObject next)
    {
        if (request.Subresource == "status" && live is not null)
        {
            var scoped = (JsonObject)live.Value.DeepClone();
            if (next["status"] is { } status)
                scoped["status"] = status.DeepClone();
            else
                scoped.Remove("status");
            if (next["metadata"]?["managedFields"] is { } managedFields)
                scoped.Child("metadata")["managedFields"] = managedFields.DeepClone();
            return scoped;
        }

        if (request.Subresource == "finalize" && live is not null)
        {
            var scoped = (JsonObject)live.Value.DeepClone();
            scoped["spec"] = next["spec"]?.DeepClone() ?? new JsonObject();
            return scoped;
        }

        if (!request.Kind.HasStatus)
            return next;
        next.Remove("status");
        if (live?.Value["status"] is { } kept)
            next["status"] = kept.DeepClone();
        if (request.Kind.Kind == "Namespace" && live is not null)
            next["spec"] = live.Value["spec"]?.DeepClone();
        return next;
    }

    private static void KeepWhatIsTheServers(JsonObject next, StoredObject? live, string now)
    {
        var metadata = next.Child("metadata");
        foreach (var name in ServerKept.Where(name => name != "managedFields"))
        {
            metadata.Remove(name);
            if (live?.Value["metadata"]?[name] is { } kept)
                metadata[name] = kept.DeepClone();
        }

        metadata.Default("uid", Guid.NewGuid().ToString());
        metadata.Default("creationTimestamp", now);
        foreach (var name in new[] { "labels", "annotations", "finalizers", "ownerReferences" })
        {
            if (metadata[name] is JsonObject { Count: 0 } or JsonArray { Count: 0 } || (metadata.ContainsKey(name) && metadata[name] is null))
                metadata.Remove(name);
        }
    }

    private void CheckPlace(ResourceKind kind, string? space, string name)
    {
        if (kind.Terminating)
            throw new ApiFailure(405, "MethodNotAllowed", $"create not allowed while custom resource definition is terminating");
        if (!kind.Namespaced)
            return;
        var namespaces = BuiltInKinds.Named("Namespace");
        var home = store.Find(ObjectKey.Of(namespaces, null, space ?? "")) ?? throw ApiFailure.NotFound(namespaces, space ?? "");
        if (home.Value["metadata"]?["deletionTimestamp"] is not null)
        {
            throw ApiFailure.Forbidden(kind, name, $"unable to create new content in namespace {space} because it is being terminated", [new JsonObject
            {
                ["reason"] = "NamespaceTerminating",
                ["message"] = $"namespace {space} is being terminated",
                ["field"] = "metadata.namespace",
            }]);
        }
    }
}
