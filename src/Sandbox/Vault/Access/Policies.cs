using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Access;

/// <summary>The access policies. <c>root</c> allows everything and cannot be changed; <c>default</c> is given to every other token.</summary>
internal sealed class Policies(VaultStorage storage)
{
    private const string Prefix = "policy/";

    /// <summary>What every token may: look at, renew and give back itself and its leases.</summary>
    private const string Default = """
        path "auth/token/lookup-self" { capabilities = ["read"] }
        path "auth/token/renew-self" { capabilities = ["update"] }
        path "auth/token/revoke-self" { capabilities = ["update"] }
        path "sys/capabilities-self" { capabilities = ["update"] }
        path "sys/renew" { capabilities = ["update"] }
        path "sys/leases/renew" { capabilities = ["update"] }
        path "sys/leases/lookup" { capabilities = ["update"] }
        """;

    public void Initialize()
    {
        if (!storage.Has(Prefix + "default"))
            storage.Put(Prefix + "default", new() { ["policy"] = Default });
    }

    public string? Read(string name) => name == "root" ? "" : storage.Get(Prefix + name)?.String("policy");

    public IEnumerable<string> Names => storage.Names(Prefix).Append("root");

    public void Write(string name, string text)
    {
        if (name == "root")
            throw VaultFailure.Rejected("cannot update \"root\" policy");
        PolicyText.Read(text);
        storage.Put(Prefix + name, new JsonObject { ["policy"] = text });
    }

    public void Delete(string name)
    {
        if (name is "root" or "default")
            throw VaultFailure.Rejected($"cannot delete \"{name}\" policy");
        storage.Remove(Prefix + name);
    }

    /// <summary>What these policies together allow, as they are now; one that does not exist allows nothing.</summary>
    public AccessList Of(IReadOnlyCollection<string> names) => names.Contains("root")
        ? new([], root: true)
        : new(names.Select(Read).OfType<string>().SelectMany(PolicyText.Read));
}
