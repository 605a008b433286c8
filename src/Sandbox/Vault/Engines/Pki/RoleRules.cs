using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Engines.Pki;

/// <summary>What a role lets certificates be.</summary>
internal static class RoleRules
{
    public static IReadOnlyDictionary<string, JsonNode?> Known { get; } = new Dictionary<string, JsonNode?>
    {
        ["issuer_ref"] = "default",
        ["ttl"] = 0,
        ["max_ttl"] = 0,
        ["allow_localhost"] = true,
        ["allowed_domains"] = new JsonArray(),
        ["allow_bare_domains"] = false,
        ["allow_subdomains"] = false,
        ["allow_glob_domains"] = false,
        ["allow_wildcard_certificates"] = true,
        ["allow_any_name"] = false,
        ["enforce_hostnames"] = true,
        ["allow_ip_sans"] = true,
        ["server_flag"] = true,
        ["client_flag"] = true,
        ["key_type"] = "rsa",
        ["key_bits"] = 0,
        ["key_usage"] = new JsonArray("DigitalSignature", "KeyAgreement", "KeyEncipherment"),
        ["use_csr_common_name"] = true,
        ["use_csr_sans"] = true,
        ["organization"] = new JsonArray(),
        ["ou"] = new JsonArray(),
        ["require_cn"] = true,
        ["no_store"] = false,
    };

    public static JsonObject Merged(JsonObject? before, JsonObject sent)
    {
        var role = VaultFields.Merged(before, sent, Known);
        foreach (var ttl in (string[])["ttl", "max_ttl"])
            role[ttl] = VaultFields.Seconds(role.Duration(ttl) ?? default);
        foreach (var list in Known.Where(field => field.Value is JsonArray))
            role[list.Key] = VaultFields.Array(role.Words(list.Key) ?? []);
        return role;
    }

    /// <exception cref="VaultFailure">The role does not allow such a name.</exception>
    public static void CheckName(JsonObject role, string name)
    {
        if (role.Flag("allow_any_name"))
            return;
        if (name.StartsWith("*.", StringComparison.Ordinal) && !role.Flag("allow_wildcard_certificates"))
            throw Refused(name);
        var bare = name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;
        var wild = bare.Length < name.Length;
        if (role.Flag("allow_localhost") && name is "localhost" or "localdomain")
            return;
        foreach (var domain in role.Words("allowed_domains")!)
        {
            if (role.Flag("allow_bare_domains") && name.Equals(domain, StringComparison.OrdinalIgnoreCase))
                return;
            if (role.Flag("allow_subdomains") && (bare.EndsWith($".{domain}", StringComparison.OrdinalIgnoreCase) || (wild && bare.Equals(domain, StringComparison.OrdinalIgnoreCase))))
                return;
            if (role.Flag("allow_glob_domains") && domain.Contains('*', StringComparison.Ordinal)
                && System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(domain, name))
                return;
        }

        throw Refused(name);
    }

    public static void CheckAddress(JsonObject role, IPAddress address)
    {
        if (!role.Flag("allow_ip_sans", otherwise: true))
            throw VaultFailure.Rejected($"IP Subject Alternative Names are not allowed in this role, but was provided {address}");
    }

    public static void CheckKey(JsonObject role, PublicKey key)
    {
        using var rsa = key.GetRSAPublicKey();
        var type = rsa is not null ? "rsa" : "ec";
        if (role.String("key_type") is var wanted && wanted != "any" && wanted != type)
            throw VaultFailure.Rejected($"role requires keys of type {wanted}");
        if (rsa is { KeySize: < 2048 })
            throw VaultFailure.Rejected($"RSA keys < 2048 bits are unsafe and not supported");
    }

    public static TimeSpan Ttl(JsonObject role, JsonObject sent, TimeSpan otherwise)
    {
        var max = role.Duration("max_ttl") is { } limit && limit > TimeSpan.Zero ? limit : otherwise;
        var wanted = sent.Duration("ttl") is { } asked && asked > TimeSpan.Zero ? asked : role.Duration("ttl") is { } own && own > TimeSpan.Zero ? own : otherwise;
        return wanted < max ? wanted : max;
    }

    public static void AddUsages(JsonObject role, CertificateRequest request)
    {
        var usage = role.Words("key_usage")!.Aggregate(X509KeyUsageFlags.None, (flags, word) => flags | word switch
        {
            "DigitalSignature" => X509KeyUsageFlags.DigitalSignature,
            "KeyAgreement" => X509KeyUsageFlags.KeyAgreement,
            "KeyEncipherment" => X509KeyUsageFlags.KeyEncipherment,
            "DataEncipherment" => X509KeyUsageFlags.DataEncipherment,
            "ContentCommitment" => X509KeyUsageFlags.NonRepudiation,
            _ => throw VaultFailure.NotPlayed($"the key usage {word}"),
        });
        if (usage != X509KeyUsageFlags.None)
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        var extended = new System.Security.Cryptography.OidCollection();
        if (role.Flag("server_flag", otherwise: true))
            extended.Add(new("1.3.6.1.5.5.7.3.1"));
        if (role.Flag("client_flag", otherwise: true))
            extended.Add(new("1.3.6.1.5.5.7.3.2"));
        if (extended.Count > 0)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(extended, critical: false));
    }

    private static VaultFailure Refused(string name) => VaultFailure.Rejected($"common name {name} not allowed by this role");
}
