using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Access;
using PlatformOps.Sandbox.Vault.Core;

namespace PlatformOps.Sandbox.Vault.Login;

/// <summary>What a role of any login method says of the tokens that it gives.</summary>
internal static class TokenFields
{
    public static IReadOnlyDictionary<string, JsonNode?> Known { get; } = new Dictionary<string, JsonNode?>
    {
        ["token_policies"] = new JsonArray(),
        ["token_ttl"] = 0,
        ["token_max_ttl"] = 0,
        ["token_period"] = 0,
        ["token_num_uses"] = 0,
        ["token_no_default_policy"] = false,
        ["token_type"] = "default",
        ["token_bound_cidrs"] = new JsonArray(),
        ["token_explicit_max_ttl"] = 0,
    };

    /// <summary>As a role is kept: durations in seconds, lists as lists.</summary>
    public static void Normalize(JsonObject role)
    {
        foreach (var name in (string[])["token_ttl", "token_max_ttl", "token_period", "token_explicit_max_ttl"])
            role[name] = VaultFields.Seconds(role.Duration(name) ?? default);
        role["token_policies"] = VaultFields.Array(role.Words("token_policies") ?? []);
    }

    public static NewToken Token(JsonObject role, string path, string name, JsonObject metadata) => new(path, name, role.Words("token_policies") ?? [])
    {
        Ttl = role.Duration("token_ttl") ?? default,
        MaxTtl = role.Duration("token_max_ttl") ?? default,
        Period = role.Duration("token_period") ?? default,
        Uses = role.Integer("token_num_uses") ?? 0,
        Metadata = metadata,
    };
}
