using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;

namespace PlatformOps.Sandbox.Vault.Access;

/// <summary>A token as Vault keeps it.</summary>
internal sealed class TokenEntry(JsonObject stored)
{
    public JsonObject Stored => stored;

    public string Id => stored.String("id")!;

    public string Accessor => stored.String("accessor")!;

    public string Parent => stored.String("parent") ?? "";

    public IReadOnlyList<string> Policies => stored.Words("policies")!;

    /// <summary>Null: never.</summary>
    public DateTimeOffset? Expires => stored.Moment("expires");

    public DateTimeOffset Created => stored.Moment("created")!.Value;

    public TimeSpan CreationTtl => stored.Duration("creation_ttl") ?? default;

    /// <summary>Zero: only the system's limit.</summary>
    public TimeSpan MaxTtl => stored.Duration("max_ttl") ?? default;

    /// <summary>Zero: not periodic. A periodic token can be renewed for ever.</summary>
    public TimeSpan Period => stored.Duration("period") ?? default;

    public bool Renewable => stored.Flag("renewable");

    public int UsesLeft => stored.Integer("num_uses") ?? 0;
}

/// <summary>What a new token is to be.</summary>
internal sealed record NewToken(string Path, string DisplayName, IReadOnlyList<string> Policies)
{
    public TimeSpan Ttl { get; init; }

    public TimeSpan MaxTtl { get; init; }

    public TimeSpan Period { get; init; }

    public bool Renewable { get; init; } = true;

    public int Uses { get; init; }

    public string Parent { get; init; } = "";

    public JsonObject Metadata { get; init; } = [];

    public string? Id { get; init; }
}

