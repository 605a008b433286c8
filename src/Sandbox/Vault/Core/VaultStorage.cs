using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace PlatformOps.Sandbox.Vault.Core;

/// <summary>What Vault remembers: JSON by path. In a file everything is encrypted, paths only hashed, so that nothing secret can be read from it without
/// the key file beside it.</summary>
internal sealed class VaultStorage : IDisposable
{
    // Requests come one at a time, but the state of the server is also set from outside.
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, JsonObject> entries = new(StringComparer.Ordinal);
    private readonly SqliteConnection? file;
    private readonly AesGcm? cipher;

    /// <param name="path">Made when it does not exist; null keeps nothing.</param>
    public VaultStorage(string? path)
    {
        if (path is null)
            return;
        cipher = new(Key($"{path}.key"), AesGcm.TagByteSizes.MaxSize);
        file = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        file.Open();
        Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE IF NOT EXISTS entries (hash TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;");
        ReadAll();
    }

    public JsonObject? Get(string path)
    {
        lock (gate)
            return entries.GetValueOrDefault(path)?.DeepClone() as JsonObject;
    }

    public bool Has(string path)
    {
        lock (gate)
            return entries.ContainsKey(path);
    }

    public void Put(string path, JsonObject value)
    {
        using var held = gate.EnterScope();
        entries[path] = (JsonObject)value.DeepClone();
        Run("INSERT OR REPLACE INTO entries VALUES ($hash, $value)", path, new JsonObject { ["path"] = path, ["value"] = value.DeepClone() });
    }

    public bool Remove(string path)
    {
        using var held = gate.EnterScope();
        if (!entries.Remove(path))
            return false;
        Run("DELETE FROM entries WHERE hash = $hash", path);
        return true;
    }

    public void RemoveAll(string prefix)
    {
        foreach (var path in Under(prefix))
            Remove(path);
    }

    /// <summary>Everything, by path.</summary>
    public JsonObject Dump()
    {
        lock (gate)
            return new(entries.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value.DeepClone())));
    }

    /// <summary>Forgets everything, and remembers what was once dumped.</summary>
    public void ReplaceAll(JsonObject dump)
    {
        using var held = gate.EnterScope();
        foreach (var path in entries.Keys.ToList())
            Remove(path);
        foreach (var (path, value) in dump)
            Put(path, (JsonObject)value!);
    }

    /// <summary>The paths below a prefix, whole.</summary>
    public IReadOnlyList<string> Under(string prefix)
    {
        lock (gate)
            return [.. entries.Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal))];
    }

    /// <summary>The names directly below a prefix; folders end with a slash.</summary>
    public IEnumerable<string> Names(string prefix) => Under(prefix)
        .Select(path => path[prefix.Length..])
        .Select(rest => rest.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? rest[..(slash + 1)] : rest)
        .Distinct();

    public void Dispose()
    {
        file?.Dispose();
        cipher?.Dispose();
    }

    private static byte[] Key(string path)
    {
        if (File.Exists(path))
            return File.ReadAllBytes(path);
        var key = RandomNumberGenerator.GetBytes(32);
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new FileStream(path, how);
        stream.Write(key);
        return key;
    }

    private void ReadAll()
    {
        using var command = file!.CreateCommand();
        command.CommandText = "SELECT value FROM entries";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var entry = JsonNode.Parse(Decrypt((byte[])reader[0]))!.AsObject();
            entries[(string)entry["path"]!] = (JsonObject)entry["value"]!.DeepClone();
        }
    }

    private void Run(string text, string? path = null, JsonObject? value = null)
    {
        if (file is null)
            return;
        using var command = file.CreateCommand();
        command.CommandText = text;
        if (path is not null)
            command.Parameters.AddWithValue("$hash", Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(path))));
        if (value is not null)
            command.Parameters.AddWithValue("$value", Encrypt(Encoding.UTF8.GetBytes(value.ToJsonString(JsonText.Options))));
        command.ExecuteNonQuery();
    }

    private byte[] Encrypt(byte[] plain)
    {
        var box = new byte[12 + plain.Length + 16];
        RandomNumberGenerator.Fill(box.AsSpan(0, 12));
        cipher!.Encrypt(box.AsSpan(0, 12), plain, box.AsSpan(12, plain.Length), box.AsSpan(12 + plain.Length));
        return box;
    }

    private byte[] Decrypt(byte[] box)
    {
        var plain = new byte[box.Length - 28];
        cipher!.Decrypt(box.AsSpan(0, 12), box.AsSpan(12, plain.Length), box.AsSpan(12 + plain.Length), plain);
        return plain;
    }
}
