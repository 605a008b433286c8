using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Fields;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Writes;

/// <summary>Which object a write is about, who writes, and whether only to try.</summary>
/// <param name="Name">Empty for a creation whose body states it.</param>
/// <param name="Subresource"><c>status</c>, <c>finalize</c>, or empty for the object itself.</param>
/// <param name="DryRun">Everything is checked and answered as if it were done; nothing is stored.</param>
internal sealed record WriteRequest(ResourceKind Kind, string? Namespace, string Name, string Manager, string Subresource = "", bool DryRun = false)
{
    public Writer Writer => new(Manager, Kind.ApiVersion, Subresource is "status" or "scale" ? Subresource : "");
}

/// <summary>The body of a deletion.</summary>
/// <param name="Propagation"><c>Background</c>, <c>Foreground</c> or <c>Orphan</c>; null: the kind's default.</param>
internal sealed record DeleteOptions(long? GracePeriodSeconds, string? Propagation, string? Uid, string? ResourceVersion)
{
    public static DeleteOptions From(JsonObject? body, IReadOnlyDictionary<string, string> query) => new(
        body?["gracePeriodSeconds"].Number() ?? (query.TryGetValue("gracePeriodSeconds", out var seconds) && long.TryParse(seconds, out var grace) ? grace : null),
        body?["propagationPolicy"].Text() ?? ((bool?)body?["orphanDependents"] == true ? "Orphan" : query.GetValueOrDefault("propagationPolicy")),
        body?["preconditions"]?["uid"].Text(),
        body?["preconditions"]?["resourceVersion"].Text());
}

/// <summary>What a patch is.</summary>
internal enum PatchKind
{
    Json,
    Merge,
    Strategic,
    Apply,
}
