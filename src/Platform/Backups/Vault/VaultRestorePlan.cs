using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups.Vault;

/// <summary>What a restore of a Vault would do, as people approve it.</summary>
public sealed record VaultRestorePlan : IRestorePlan
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    /// <summary>The id of the set.</summary>
    public required string Set { get; init; }

    /// <summary>What the store's own tool calls it.</summary>
    public required string Label { get; init; }

    /// <summary>The moment that comes back.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why this set.</summary>
    public required string Why { get; init; }

    /// <summary>The Vault that is replaced.</summary>
    public required string Address { get; init; }

    /// <summary>SHA-256 of the snapshot.</summary>
    public required string Snapshot { get; init; }

    /// <summary>Whether it has other unseal keys than the set: it is sealed afterwards, until those of the set are given.</summary>
    public required bool OtherKeys { get; init; }

    /// <summary>What is lost, as sentences.</summary>
    public required string Lost { get; init; }

    /// <summary>What whoever approves should know besides.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>What people approve. The same facts give the same hash.</summary>
    public string Hash => CanonicalJson.Digest(new JsonObject
    {
        ["environment"] = Environment,
        ["store"] = Store,
        ["set"] = Set,
        ["snapshot"] = Snapshot,
        ["address"] = Address,
        ["otherKeys"] = OtherKeys,
    });
}

/// <summary>A restore of a Vault, step by step.</summary>
public enum VaultRestoreStep
{
    /// <summary>What is valid today is written down, outside Vault.</summary>
    Inventory,

    /// <summary>Everything that Vault has is replaced by the set. From here there is only forward.</summary>
    Restore,

    /// <summary>It is unsealed, takes our login, and has what the set has.</summary>
    Open,

    /// <summary>What was revoked since the set was made is revoked again, and the rest is named.</summary>
    Fence,

    /// <summary>Nothing that was revoked is valid.</summary>
    Verify,
}

/// <summary>When a set of Vault cannot be restored as things stand.</summary>
public static class VaultRestoreRules
{
    /// <param name="sealedNow">Null: nobody knows.</param>
    /// <param name="version">Of the server.</param>
    /// <returns>What is wrong and what to do; null: nothing.</returns>
    public static string? WhyNot(VaultSnapshotManifest manifest, string address, bool initialized, bool sealedNow, string version) => (initialized, sealedNow) switch
    {
        (false, _) => $"Vault at {address} is not initialized. Initialize it (vault operator init), unseal it, let regions.REGION.vault of the connections file name a login of it, and start again with otherKeys.",
        (_, true) => $"Vault at {address} is sealed, and takes a snapshot only when it is not. Unseal it (vault operator unseal; with the keys of the set where one was restored already), then start again.",
        _ when Version(version) < Version(manifest.VaultVersion) => $"{manifest.Set} was made by Vault {manifest.VaultVersion}, and the one at {address} is older ({version}). Upgrade it first.",
        _ => null,
    };

    /// <summary>What is not a number counts as nothing: then it is not compared.</summary>
    private static Version Version(string text) => System.Version.TryParse(text.TrimStart('v').Split('-', '+')[0], out var version) ? version : new(0, 0);
}
