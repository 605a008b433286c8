using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>A certificate that was signed. Its key is with whoever made the request.</summary>
/// <param name="Chain">The issuer and what vouches for it, each as PEM.</param>
public sealed record VaultCertificate(string Serial, string Pem, string IssuerPem, IReadOnlyList<string> Chain, DateTimeOffset NotAfter);

/// <summary>A certificate that the engine remembers.</summary>
/// <param name="RevokedAt">Null: not revoked.</param>
public sealed record VaultIssuedCertificate(string Pem, DateTimeOffset? RevokedAt);

/// <summary>A certificate authority of the engine.</summary>
/// <param name="HasKey">Whether it can sign here.</param>
/// <param name="Revoked">Whether it was revoked.</param>
public sealed record VaultIssuer(string Id, string Name, string Pem, IReadOnlyList<string> Chain, bool HasKey, bool Revoked);

/// <summary>What a role lets certificates be. Names besides these keep Vault's defaults.</summary>
public sealed record VaultPkiRole(IReadOnlyList<string> AllowedDomains)
{
    public bool AllowSubdomains { get; init; }

    public bool AllowBareDomains { get; init; }

    public bool AllowGlobDomains { get; init; }

    public bool AllowAddresses { get; init; } = true;

    public bool Server { get; init; } = true;

    public bool Client { get; init; } = true;

    public TimeSpan Ttl { get; init; } = TimeSpan.FromDays(1);

    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Who signs: an issuer's name or id, or <c>default</c>.</summary>
    public string Issuer { get; init; } = "default";
}

/// <summary>A PKI engine. Keys of leaves are made by the caller and never sent.</summary>
public sealed class VaultPki(VaultConnection connection, string mount = "pki")
{
    private static readonly string[] Usages = ["DigitalSignature", "KeyAgreement", "KeyEncipherment"];

    /// <param name="signingRequest">PEM; its names are what the certificate gets.</param>
    /// <param name="issuer">Null: who the role says.</param>
    public async Task<VaultCertificate> SignAsync(string role, string signingRequest, TimeSpan ttl, CancellationToken ct, string? issuer = null)
    {
        var path = issuer is null ? At($"sign/{VaultJson.Path(role)}") : At($"issuer/{VaultJson.Path(issuer)}/sign/{VaultJson.Path(role)}");
        return Certificate(await SendAsync(VaultCall.Write(path, $"sign a certificate with role {role} of {mount}", new() { ["csr"] = signingRequest, ["ttl"] = VaultJson.Duration(ttl) }), ct));
    }

    /// <summary>Revoking again is no failure.</summary>
    /// <returns>When it was revoked.</returns>
    public async Task<DateTimeOffset> RevokeAsync(string serial, CancellationToken ct)
    {
        var data = await SendAsync(VaultCall.Write(At("revoke"), $"revoke certificate {serial} of {mount}", new() { ["serial_number"] = serial }), ct);
        return DateTimeOffset.FromUnixTimeSeconds((long)data["revocation_time"]!);
    }

    /// <summary>Revokes a certificate that the engine does not know any more, and one of its issuers has signed. Revoking again is no failure.</summary>
    /// <param name="pem">The certificate.</param>
    public Task RevokeGivenAsync(string pem, CancellationToken ct) => SendAsync(VaultCall.Write(At("revoke"), $"revoke a certificate that is given to {mount}", new() { ["certificate"] = pem }), ct);

    /// <returns>Serial numbers of what was revoked.</returns>
    public async Task<IReadOnlyList<string>> RevokedAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At("certs/revoked"), $"list the revoked certificates of {mount}"), ct)).Keys;

    /// <returns>Null when the engine does not know it.</returns>
    public async Task<VaultIssuedCertificate?> ReadCertificateAsync(string serial, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At($"cert/{VaultJson.Path(serial)}"), $"read certificate {serial} of {mount}"), ct);
        if (answer.Missing)
            return null;
        var revoked = answer.Data["revocation_time"] is { } at ? (long)at : 0;
        return new(answer.Data.Text("certificate"), revoked > 0 ? DateTimeOffset.FromUnixTimeSeconds(revoked) : null);
    }

    /// <returns>Serial numbers.</returns>
    public async Task<IReadOnlyList<string>> CertificatesAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At("certs"), $"list the certificates of {mount}"), ct)).Keys;

    /// <summary>The list of what an issuer has revoked, as PEM.</summary>
    public async Task<string> RevocationListAsync(CancellationToken ct, string issuer = "default") =>
        Encoding.ASCII.GetString((await connection.SendAsync(VaultCall.Read(At($"issuer/{VaultJson.Path(issuer)}/crl/pem"), $"read the revocation list of {mount}"), ct)).Raw);

    public async Task<IReadOnlyList<VaultIssuer>> IssuersAsync(CancellationToken ct)
    {
        var ids = (await connection.SendAsync(VaultCall.List(At("issuers"), $"list the issuers of {mount}"), ct)).Keys;
        var issuers = new List<VaultIssuer>();
        foreach (var id in ids)
            issuers.Add(await IssuerAsync(id, ct));
        return issuers;
    }

    /// <param name="reference">Name, id, or <c>default</c>.</param>
    public async Task<VaultIssuer> IssuerAsync(string reference, CancellationToken ct)
    {
        var data = await SendAsync(VaultCall.Read(At($"issuer/{VaultJson.Path(reference)}"), $"read issuer {reference} of {mount}"), ct);
        return new(data.Text("issuer_id"), data.Text("issuer_name"), data.Text("certificate"), data.Words("ca_chain"), data.Text("key_id").Length > 0, data.Flag("revoked"));
    }

    public Task NameIssuerAsync(string reference, string name, CancellationToken ct) =>
        connection.SendAsync(VaultCall.Write(At($"issuer/{VaultJson.Path(reference)}"), $"name issuer {reference} of {mount}", new() { ["issuer_name"] = name }), ct);

    public Task DeleteIssuerAsync(string reference, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At($"issuer/{VaultJson.Path(reference)}"), $"delete issuer {reference} of {mount}"), ct);

    /// <summary>From then on it signs nothing. There is no way back.</summary>
    public Task RevokeIssuerAsync(string reference, CancellationToken ct) => connection.SendAsync(VaultCall.Write(At($"issuer/{VaultJson.Path(reference)}/revoke"), $"revoke issuer {reference} of {mount}", []), ct);

    /// <returns>The id of the issuer who signs for roles that name nobody; empty: there is none.</returns>
    public async Task<string> DefaultIssuerAsync(CancellationToken ct) => (await SendAsync(VaultCall.Read(At("config/issuers"), $"read the default issuer of {mount}"), ct)).Text("default");

    /// <summary>Who signs for roles that name nobody.</summary>
    public Task SetDefaultIssuerAsync(string reference, CancellationToken ct) =>
        connection.SendAsync(VaultCall.Write(At("config/issuers"), $"make {reference} the default issuer of {mount}", new() { ["default"] = reference }), ct);

    /// <summary>Makes a root whose key never leaves Vault.</summary>
    public async Task<VaultIssuer> GenerateRootAsync(string commonName, string issuerName, TimeSpan ttl, CancellationToken ct)
    {
        var body = new JsonObject { ["common_name"] = commonName, ["issuer_name"] = issuerName, ["ttl"] = VaultJson.Duration(ttl), ["key_type"] = "ec", ["key_bits"] = 256 };
        return await IssuerAsync((await SendAsync(VaultCall.Write(At("root/generate/internal"), $"generate root {issuerName} in {mount}", body), ct)).Text("issuer_id"), ct);
    }

    /// <summary>Makes the key of an intermediate, which never leaves Vault.</summary>
    /// <returns>The request to sign, as PEM.</returns>
    public async Task<string> GenerateIntermediateAsync(string commonName, CancellationToken ct)
    {
        var body = new JsonObject { ["common_name"] = commonName, ["key_type"] = "ec", ["key_bits"] = 256 };
        return (await SendAsync(VaultCall.Write(At("intermediate/generate/internal"), $"generate an intermediate in {mount}", body), ct)).Text("csr");
    }

    public async Task<VaultCertificate> SignIntermediateAsync(string signingRequest, string commonName, TimeSpan ttl, CancellationToken ct, string issuer = "default")
    {
        var body = new JsonObject { ["csr"] = signingRequest, ["common_name"] = commonName, ["ttl"] = VaultJson.Duration(ttl), ["format"] = "pem_bundle" };
        return Certificate(await SendAsync(VaultCall.Write(At($"issuer/{VaultJson.Path(issuer)}/sign-intermediate"), $"sign an intermediate with {mount}", body), ct));
    }

    /// <summary>Takes in the signed certificate of an intermediate, with what vouches for it.</summary>
    /// <returns>The ids of the issuers that are new.</returns>
    public async Task<IReadOnlyList<string>> ImportSignedAsync(string pemBundle, CancellationToken ct) =>
        (await SendAsync(VaultCall.Write(At("intermediate/set-signed"), $"import a certificate into {mount}", new() { ["certificate"] = pemBundle }), ct)).Words("imported_issuers");

    public async Task<IReadOnlyList<string>> RolesAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At("roles"), $"list the roles of {mount}"), ct)).Keys;

    /// <returns>Null when there is none of that name.</returns>
    public async Task<VaultPkiRole?> ReadRoleAsync(string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At($"roles/{VaultJson.Path(name)}"), $"read role {name} of {mount}"), ct);
        var role = answer.Data;
        return answer.Missing ? null : new(role.Words("allowed_domains"))
        {
            AllowSubdomains = role.Flag("allow_subdomains"),
            AllowBareDomains = role.Flag("allow_bare_domains"),
            AllowGlobDomains = role.Flag("allow_glob_domains"),
            AllowAddresses = role.Flag("allow_ip_sans"),
            Server = role.Flag("server_flag"),
            Client = role.Flag("client_flag"),
            Ttl = role.Seconds("ttl"),
            MaxTtl = role.Seconds("max_ttl"),
            Issuer = role.Text("issuer_ref"),
        };
    }

    public Task WriteRoleAsync(string name, VaultPkiRole role, CancellationToken ct) => connection.SendAsync(
        VaultCall.Write(At($"roles/{VaultJson.Path(name)}"), $"write role {name} of {mount}", new()
        {
            ["allowed_domains"] = VaultJson.Array(role.AllowedDomains),
            ["allow_subdomains"] = role.AllowSubdomains,
            ["allow_bare_domains"] = role.AllowBareDomains,
            ["allow_glob_domains"] = role.AllowGlobDomains,
            ["allow_ip_sans"] = role.AllowAddresses,
            ["server_flag"] = role.Server,
            ["client_flag"] = role.Client,
            ["ttl"] = VaultJson.Duration(role.Ttl),
            ["max_ttl"] = VaultJson.Duration(role.MaxTtl),
            ["issuer_ref"] = role.Issuer,
            ["key_type"] = "any",
            ["key_usage"] = VaultJson.Array(Usages),
            ["require_cn"] = false,
        }),
        ct);

    public Task DeleteRoleAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At($"roles/{VaultJson.Path(name)}"), $"delete role {name} of {mount}"), ct);

    private static VaultCertificate Certificate(JsonObject data) => new(
        data.Text("serial_number"), data.Text("certificate"), data.Text("issuing_ca"), data.Words("ca_chain"), DateTimeOffset.FromUnixTimeSeconds((long)data["expiration"]!));

    private async Task<JsonObject> SendAsync(VaultCall call, CancellationToken ct) => (await connection.RequireAsync(call, ct)).Data;

    private string At(string path) => $"{VaultJson.Path(mount)}/{path}";
}
