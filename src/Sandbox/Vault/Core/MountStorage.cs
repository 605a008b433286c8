using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Vault.Core;

/// <summary>The part of the storage that belongs to one mount.</summary>
internal sealed class MountStorage(VaultStorage storage, string prefix)
{
    public JsonObject? Get(string path) => storage.Get(prefix + path);

    public bool Has(string path) => storage.Has(prefix + path);

    public void Put(string path, JsonObject value) => storage.Put(prefix + path, value);

    public bool Remove(string path) => storage.Remove(prefix + path);

    public void RemoveAll(string path) => storage.RemoveAll(prefix + path);

    public IEnumerable<string> Names(string path) => storage.Names(prefix + path);
}
