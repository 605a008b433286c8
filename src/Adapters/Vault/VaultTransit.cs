using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>A key that never leaves Vault.</summary>
/// <param name="OldestVersion">The oldest that still decrypts.</param>
public sealed record VaultTransitKey(string Name, string Type, int LatestVersion, int OldestVersion, bool DeletionAllowed);

/// <summary>A transit engine: encryption with keys that never leave Vault.</summary>
public sealed class VaultTransit(VaultConnection connection, string mount = "transit")
{
    public async Task<IReadOnlyList<string>> KeysAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At("keys"), $"list the keys of {mount}"), ct)).Keys;

    /// <summary>One that is there already stays as it is.</summary>
    public Task CreateKeyAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Write(At("keys", name), $"create key {name} of {mount}", new() { ["type"] = "aes256-gcm96" }), ct);

    /// <returns>Null when there is none of that name.</returns>
    public async Task<VaultTransitKey?> ReadKeyAsync(string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At("keys", name), $"read key {name} of {mount}"), ct);
        var key = answer.Data;
        return answer.Missing ? null : new(name, key.Text("type"), key.Integer("latest_version"), key.Integer("min_decryption_version"), key.Flag("deletion_allowed"));
    }

    /// <summary>Adds a version: new texts are encrypted with it, old ones still decrypt.</summary>
    public Task RotateAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Write(At("keys", name) + "/rotate", $"rotate key {name} of {mount}"), ct);

    /// <summary>Texts of older versions do not decrypt any longer.</summary>
    public Task SetOldestVersionAsync(string name, int version, CancellationToken ct) =>
        connection.SendAsync(VaultCall.Write(At("keys", name) + "/config", $"set the oldest version of key {name} of {mount}", new() { ["min_decryption_version"] = version }), ct);

    public Task AllowDeletionAsync(string name, CancellationToken ct) =>
        connection.SendAsync(VaultCall.Write(At("keys", name) + "/config", $"allow the deletion of key {name} of {mount}", new() { ["deletion_allowed"] = true }), ct);

    public Task DeleteKeyAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At("keys", name), $"delete key {name} of {mount}"), ct);

    /// <returns><c>vault:v1:...</c></returns>
    public async Task<string> EncryptAsync(string key, SecretText plain, CancellationToken ct)
    {
        var body = new JsonObject { ["plaintext"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(plain.Reveal())) };
        return (await connection.RequireAsync(VaultCall.Write(At("encrypt", key), $"encrypt with key {key} of {mount}", body), ct)).Data.Text("ciphertext");
    }

    public async Task<SecretText> DecryptAsync(string key, string cipher, CancellationToken ct)
    {
        var data = (await connection.RequireAsync(VaultCall.Write(At("decrypt", key), $"decrypt with key {key} of {mount}", new() { ["ciphertext"] = cipher }), ct)).Data;
        return new(Encoding.UTF8.GetString(Convert.FromBase64String(data.Text("plaintext"))));
    }

    /// <summary>Encrypts anew with the latest version, without showing the text.</summary>
    public async Task<string> RewrapAsync(string key, string cipher, CancellationToken ct) =>
        (await connection.RequireAsync(VaultCall.Write(At("rewrap", key), $"rewrap with key {key} of {mount}", new() { ["ciphertext"] = cipher }), ct)).Data.Text("ciphertext");

    private string At(string what, string? name = null) => name is null ? $"{VaultJson.Path(mount)}/{what}" : $"{VaultJson.Path(mount)}/{what}/{VaultJson.Path(name)}";
}
