using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>Which object of a kind. The namespace of a cluster-wide object is empty.</summary>
internal readonly record struct ObjectKey(string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}

/// <summary>An object's reference to its owner.</summary>
internal sealed record OwnerReference(string ApiVersion, string Kind, string Name, string Uid, bool Controller, bool BlockOwnerDeletion);

/// <summary>One version of an object, as the API gave it. It is shared between threads: never change <see cref="Body"/>, copy it.</summary>
internal sealed class ClusterObject
{
    private static readonly JsonObject Nothing = [];

    public ClusterObject(ApiResource resource, JsonObject body)
    {
        Resource = resource;
        Body = body;
        var metadata = body.Fields("metadata") ?? throw new InvalidOperationException($"An answer about {resource} has no metadata.");
        Metadata = metadata;
        Key = new(metadata.Text("namespace") ?? "", metadata.Text("name") ?? "");
        Uid = metadata.Text("uid") ?? "";
        Version = long.TryParse(metadata.Text("resourceVersion"), out var version) ? version : 0;
        Deleting = metadata.Text("deletionTimestamp") is not null;
        Labels = metadata.Fields("labels") ?? Nothing;
        Annotations = metadata.Fields("annotations") ?? Nothing;
        Finalizers = [.. metadata.Items("finalizers").Select(finalizer => finalizer.GetValue<string>())];
        Owners = [.. metadata.Items("ownerReferences").Select(owner => new OwnerReference(
            owner.Text("apiVersion") ?? "", owner.Text("kind") ?? "", owner.Text("name") ?? "", owner.Text("uid") ?? "",
            owner.Flag("controller"), owner.Flag("blockOwnerDeletion")))];
        Controller = Owners.FirstOrDefault(owner => owner.Controller);
        Spec = body.Fields("spec") ?? Nothing;
        Status = body.Fields("status") ?? Nothing;
    }

    public ApiResource Resource { get; }

    public JsonObject Body { get; }

    public JsonObject Metadata { get; }

    public ObjectKey Key { get; }

    public string Namespace => Key.Namespace;

    public string Name => Key.Name;

    public string Uid { get; }

    /// <summary>Its resourceVersion. Newer versions are greater, on etcd as on the stand-in.</summary>
    public long Version { get; }

    public int Generation => Metadata.Number("generation") ?? 0;

    public bool Deleting { get; }

    public DateTimeOffset Created => Metadata.Time("creationTimestamp") ?? DateTimeOffset.MinValue;

    public JsonObject Labels { get; }

    public JsonObject Annotations { get; }

    public IReadOnlyList<string> Finalizers { get; }

    public IReadOnlyList<OwnerReference> Owners { get; }

    /// <summary>The one owner that manages it, if any.</summary>
    public OwnerReference? Controller { get; }

    public JsonObject Spec { get; }

    public JsonObject Status { get; }

    /// <summary>The reference that marks a new object as managed by this one.</summary>
    public JsonObject AsController() => new()
    {
        ["apiVersion"] = Resource.ApiVersion,
        ["kind"] = Resource.Kind,
        ["name"] = Name,
        ["uid"] = Uid,
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    };

    public override string ToString() => $"{Resource} {Key}";
}
