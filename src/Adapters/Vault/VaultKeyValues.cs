using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>One version of a secret.</summary>
/// <param name="Values">Null when this version was deleted or destroyed.</param>
public sealed record VaultSecret(int Version, DateTimeOffset CreatedAt, bool Deleted, bool Destroyed, IReadOnlyDictionary<string, SecretText>? Values);

/// <summary>What is known of a secret besides its values.</summary>
/// <param name="Versions">By number; old ones are forgotten.</param>
/// <param name="Custom">Notes of whoever writes it; not secret.</param>
public sealed record VaultSecretMetadata(
    int CurrentVersion, bool CheckAndSetRequired, int MaximumVersions, IReadOnlyDictionary<int, VaultSecretVersion> Versions, IReadOnlyDictionary<string, string> Custom);

/// <summary>A version of a secret, without its values.</summary>
public sealed record VaultSecretVersion(DateTimeOffset CreatedAt, bool Deleted, bool Destroyed);

/// <summary>A key/value engine of version 2.</summary>
/// <param name="mount">Where it is mounted.</param>
public sealed class VaultKeyValues(VaultConnection connection, string mount = "secret")
{
    /// <param name="version">Null: the latest.</param>
    /// <returns>Null when there is no such secret or version.</returns>
    public async Task<VaultSecret?> ReadAsync(string path, CancellationToken ct, int? version = null)
    {
        var query = version is { } number ? $"?version={number.ToString(CultureInfo.InvariantCulture)}" : "";
        var answer = await connection.SendAsync(VaultCall.Read(At("data", path) + query, $"read {mount}/{path}"), ct);
        if (answer.Data["metadata"] is not JsonObject about)
            return null;
        var values = (answer.Data["data"] as JsonObject)?.ToDictionary(entry => entry.Key, entry => new SecretText(entry.Value?.ToString() ?? ""));
        return new(about.Integer("version"), about.Moment("created_time") ?? default, about.Moment("deletion_time") is not null, about.Flag("destroyed"), values);
    }

    /// <summary>Writes the next version.</summary>
    /// <param name="expected">The version that it replaces, 0 for a secret that is not there yet: anything else fails with
    /// <see cref="VaultTrouble.CheckAndSet"/>. Null: whatever is there.</param>
    /// <returns>Its number.</returns>
    public async Task<int> WriteAsync(string path, IReadOnlyDictionary<string, SecretText> values, int? expected, CancellationToken ct)
    {
        var body = new JsonObject { ["data"] = new JsonObject(values.Select(value => KeyValuePair.Create(value.Key, (JsonNode?)value.Value.Reveal()))) };
        if (expected is { } version)
            body["options"] = new JsonObject { ["cas"] = version };
        return (await connection.RequireAsync(VaultCall.Write(At("data", path), $"write {mount}/{path}", body), ct)).Data.Integer("version");
    }

    /// <returns>Null when there is no such secret.</returns>
    public async Task<VaultSecretMetadata?> MetadataAsync(string path, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At("metadata", path), $"read the metadata of {mount}/{path}"), ct);
        if (answer.Missing)
            return null;
        var versions = (answer.Data["versions"] as JsonObject ?? []).ToDictionary(entry => int.Parse(entry.Key, CultureInfo.InvariantCulture), entry =>
        {
            var version = entry.Value!.AsObject();
            return new VaultSecretVersion(version.Moment("created_time") ?? default, version.Moment("deletion_time") is not null, version.Flag("destroyed"));
        });
        var custom = (answer.Data["custom_metadata"] as JsonObject ?? []).ToDictionary(entry => entry.Key, entry => entry.Value?.ToString() ?? "");
        return new(answer.Data.Integer("current_version"), answer.Data.Flag("cas_required"), answer.Data.Integer("max_versions"), versions, custom);
    }

    /// <summary>What is null stays as it is; notes are replaced as a whole.</summary>
    public Task WriteMetadataAsync(
        string path, CancellationToken ct, int? maximumVersions = null, bool? checkAndSetRequired = null, IReadOnlyDictionary<string, string>? custom = null)
    {
        var body = new JsonObject();
        if (maximumVersions is { } maximum)
            body["max_versions"] = maximum;
        if (checkAndSetRequired is { } required)
            body["cas_required"] = required;
        if (custom is not null)
            body["custom_metadata"] = new JsonObject(custom.Select(note => KeyValuePair.Create(note.Key, (JsonNode?)note.Value)));
        return connection.SendAsync(VaultCall.Write(At("metadata", path), $"write the metadata of {mount}/{path}", body), ct);
    }

    /// <param name="folder">Empty: the top.</param>
    /// <returns>Names; folders end with a slash. Empty where there is nothing.</returns>
    public async Task<IReadOnlyList<string>> ListAsync(string folder, CancellationToken ct) =>
        (await connection.SendAsync(VaultCall.List($"{At("metadata", folder).TrimEnd('/')}/", $"list {mount}/{folder}"), ct)).Keys;

    /// <summary>Hides versions; <see cref="UndeleteAsync"/> brings them back.</summary>
    public Task DeleteAsync(string path, IReadOnlyCollection<int> versions, CancellationToken ct) => ChangeAsync("delete", path, versions, ct);

    public Task UndeleteAsync(string path, IReadOnlyCollection<int> versions, CancellationToken ct) => ChangeAsync("undelete", path, versions, ct);

    /// <summary>Forgets the values of versions for good.</summary>
    public Task DestroyAsync(string path, IReadOnlyCollection<int> versions, CancellationToken ct) => ChangeAsync("destroy", path, versions, ct);

    /// <summary>Forgets a secret with all versions, for good.</summary>
    public Task DeleteAllAsync(string path, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At("metadata", path), $"delete {mount}/{path}"), ct);

    private Task ChangeAsync(string how, string path, IReadOnlyCollection<int> versions, CancellationToken ct)
    {
        var numbers = string.Join(", ", versions);
        var body = new JsonObject { ["versions"] = new JsonArray([.. versions.Select(version => (JsonNode?)version)]) };
        return connection.SendAsync(VaultCall.Write(At(how, path), $"{how} versions {numbers} of {mount}/{path}", body), ct);
    }

    private string At(string what, string path) => $"{VaultJson.Path(mount)}/{what}/{VaultJson.Path(path)}";
}
