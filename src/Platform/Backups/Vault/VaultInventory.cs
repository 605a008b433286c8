using System.Text.Json;
using System.Text.Json.Serialization;

namespace PlatformOps.Platform.Backups.Vault;

/// <summary>What a Vault takes for valid at one moment. Holds names, accessors and serial numbers, and nothing that anybody could log in with.</summary>
public sealed record VaultInventory
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>When it was begun.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Accessors of tokens.</summary>
    public required ISet<string> Tokens { get; init; }

    /// <summary>Of what was handed out for a time.</summary>
    public required ISet<string> Leases { get; init; }

    public required IReadOnlyList<InventoriedRole> Roles { get; init; }

    public required IReadOnlyList<InventoriedAuthority> Authorities { get; init; }

    public required IReadOnlyList<InventoriedSecret> Secrets { get; init; }

    /// <summary>Digest of each policy's text, by name.</summary>
    public required IReadOnlyDictionary<string, string> Policies { get; init; }

    /// <summary>Engines and login methods, each as <c>path type</c>.</summary>
    public required IReadOnlyList<string> Mounts { get; init; }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <exception cref="JsonException">It is none.</exception>
    public static VaultInventory Read(ReadOnlySpan<byte> content) => JsonSerializer.Deserialize<VaultInventory>(content, Json) ?? throw new JsonException("It is empty.");
}

/// <summary>A role of AppRole.</summary>
/// <param name="Mount">Of the login method, without <c>auth/</c> and slashes at its end.</param>
/// <param name="SecretIds">Accessors of the secret ids that are good.</param>
public sealed record InventoriedRole(string Mount, string Name, ISet<string> SecretIds);

/// <summary>A PKI engine.</summary>
/// <param name="Certificates">Serial numbers of all that it knows.</param>
/// <param name="Revoked">By serial number, the certificates that it has revoked, as PEM.</param>
/// <param name="Issuers">By id, whether it was revoked.</param>
public sealed record InventoriedAuthority(string Mount, ISet<string> Certificates, IReadOnlyDictionary<string, string> Revoked, IReadOnlyDictionary<string, bool> Issuers);

/// <summary>A secret of a key/value engine.</summary>
/// <param name="Current">Its newest version.</param>
/// <param name="Deleted">Versions that are hidden.</param>
/// <param name="Destroyed">Versions whose values are gone for good.</param>
public sealed record InventoriedSecret(string Mount, string Path, int Current, ISet<int> Deleted, ISet<int> Destroyed);
