using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Core;

/// <summary>What is mounted where: secrets engines, and login methods under <c>auth/</c>.</summary>
internal sealed class MountTable(VaultStorage storage, Func<string, string, VaultStorage, IEngine?> make)
{
    private const string Prefix = "mount/";

    private readonly Dictionary<string, IEngine> engines = new(StringComparer.Ordinal);

    public IEnumerable<string> Paths => storage.Under(Prefix).Select(path => path[Prefix.Length..]);

    public IEnumerable<IEngine> Engines => [.. Paths.Select(Engine).OfType<IEngine>()];

    /// <summary>Makes engines anew: what they answer for was replaced.</summary>
    public void Forget() => engines.Clear();

    public JsonObject? Describe(string path) => storage.Get(Prefix + path);

    public IEngine? Engine(string mount)
    {
        if (engines.TryGetValue(mount, out var known))
            return known;
        if (Describe(mount) is not { } described || make(described.String("type")!, mount, storage) is not { } made)
            return null;
        return engines[mount] = made;
    }

    /// <summary>The mount that a path is in; null when there is none.</summary>
    public string? Of(string path) => Paths.Where(mount => path.StartsWith(mount, StringComparison.Ordinal)).MaxBy(mount => mount.Length);

    public void Mount(string path, JsonObject fields)
    {
        var type = fields.Required("type");
        if (type == "kv-v2")
            (type, fields["options"]) = ("kv", new JsonObject { ["version"] = "2" });
        if (type == "kv" && (fields["options"] as JsonObject)?.String("version") != "2")
            throw VaultFailure.NotPlayed("version 1 of the key/value engine: ask for options.version 2");
        if (Paths.FirstOrDefault(taken => taken.StartsWith(path, StringComparison.Ordinal) || path.StartsWith(taken, StringComparison.Ordinal)) is { } existing)
            throw VaultFailure.Rejected($"path is already in use at {existing}");
        if (make(type, path, storage) is not { } made)
            throw VaultFailure.Rejected($"plugin not found in the catalog: {type}");
        storage.Put(Prefix + path, new()
        {
            ["accessor"] = $"{type}_{Access.TokenStore.Random(8).ToLowerInvariant()}",
            ["config"] = new JsonObject
            {
                ["default_lease_ttl"] = VaultFields.Seconds((fields["config"] as JsonObject)?.Duration("default_lease_ttl") ?? default),
                ["max_lease_ttl"] = VaultFields.Seconds((fields["config"] as JsonObject)?.Duration("max_lease_ttl") ?? default),
                ["force_no_cache"] = false,
            },
            ["description"] = fields.String("description") ?? "",
            ["external_entropy_access"] = false,
            ["local"] = false,
            ["options"] = fields["options"]?.DeepClone(),
            ["seal_wrap"] = false,
            ["type"] = type,
            ["uuid"] = Guid.NewGuid().ToString(),
        });
        engines[path] = made;
    }

    public void Tune(string path, JsonObject fields)
    {
        var mount = Describe(path) ?? throw VaultFailure.Rejected($"cannot fetch sysview for path \"{path}\"");
        foreach (var name in (string[])["default_lease_ttl", "max_lease_ttl"])
        {
            if (fields.Duration(name) is { } ttl)
                mount["config"]![name] = VaultFields.Seconds(ttl);
        }

        if (fields.String("description") is { } description)
            mount["description"] = description;
        storage.Put(Prefix + path, mount);
    }

    public void Unmount(string path)
    {
        if (storage.Remove(Prefix + path))
            storage.RemoveAll($"data/{path}");
        engines.Remove(path);
    }
}
