using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Whose a live object is.</summary>
internal static class ObjectOwnership
{
    public static bool IsOurs(JsonObject live, EnvironmentSpecification environment, string component) =>
        Label(live, Ownership.ManagedByLabel) == Ownership.ManagedBy
        && Label(live, Ownership.PlatformLabel) == environment.Platform
        && Label(live, Ownership.EnvironmentLabel) == environment.Name
        && Label(live, Ownership.ComponentLabel) == component;

    /// <summary>The component of the environment that an object says it belongs to; null: it is not of this environment.</summary>
    public static string? ComponentOf(JsonObject live, EnvironmentSpecification environment) =>
        Label(live, Ownership.ComponentLabel) is { } component && IsOurs(live, environment, component) ? component : null;

    /// <summary>Made by a controller out of another object (a pod of a Deployment): it carries copied labels, but is not ours to plan.</summary>
    public static bool IsDerived(JsonObject live) => GoesWithItsOwner(live) || IsLeftByCertificate(live);

    /// <summary>Kubernetes itself removes it after what it was made out of.</summary>
    public static bool GoesWithItsOwner(JsonObject live) => live["metadata"]?["ownerReferences"] is JsonArray { Count: > 0 };

    /// <summary>Made by cert-manager for a Certificate: it stays when that goes.</summary>
    public static bool IsLeftByCertificate(JsonObject live) => live["metadata"]?["annotations"]?[Ownership.CertificateNameAnnotation] is not null;

    /// <summary>The owner in words, from its labels or else from who wrote its fields.</summary>
    public static string InWords(JsonObject live)
    {
        if (Label(live, Ownership.ManagedByLabel) == Ownership.ManagedBy)
            return $"component {Label(live, Ownership.ComponentLabel)} of {Label(live, Ownership.PlatformLabel)}/{Label(live, Ownership.EnvironmentLabel)}";
        if (Label(live, Ownership.ManagedByLabel) is { } manager)
            return manager;
        var writers = live["metadata"]?["managedFields"]?.AsArray().Select(entry => (string?)entry?["manager"]).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToList();
        return writers is { Count: > 0 } ? string.Join(", ", writers) : "somebody who left no label";
    }

    private static string? Label(JsonObject live, string name) => (string?)live["metadata"]?["labels"]?[name];
}
