using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Kinds;

/// <summary>One kind of object that the API serves.</summary>
/// <param name="Group">Empty for the core group.</param>
/// <param name="Plural">The last part of its path, for example <c>deployments</c>.</param>
internal sealed record ResourceKind(string Group, string Version, string Kind, string Plural, bool Namespaced)
{
    public string Singular { get; init; } = Kind.ToLowerInvariant();

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Whether status is written through a path of its own, and ignored elsewhere.</summary>
    public bool HasStatus { get; init; }

    /// <summary>Whether <c>/scale</c> is served.</summary>
    public bool HasScale { get; init; }

    /// <summary>Whether <c>metadata.generation</c> counts the changes of everything but metadata and status.</summary>
    public bool HasGeneration { get; init; }

    /// <summary>The structural schema of a custom resource; null for built-in kinds.</summary>
    public JsonObject? Schema { get; init; }

    /// <summary>Whether a CustomResourceDefinition declares it.</summary>
    public bool Custom { get; init; }

    /// <summary>Whether its definition is being removed: nothing can be created any more.</summary>
    public bool Terminating { get; init; }

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Where its objects are stored: the same for all versions of a kind.</summary>
    public string StorageKey => $"{Group}/{Plural}";

    /// <summary>For messages: <c>deployments.apps</c>.</summary>
    public string Resource => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>For messages: <c>Deployment.apps</c>.</summary>
    public string QualifiedKind => Group.Length == 0 ? Kind : $"{Kind}.{Group}";

    public string GroupVersionPath => Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";

    public override string ToString() => $"{ApiVersion} {Kind}";
}
