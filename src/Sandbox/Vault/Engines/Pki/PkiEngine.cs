using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Access;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Engines.Pki;

/// <summary>Certificate authorities that sign requests, with real X.509. Keys of leaves are made by whoever asks: <c>issue</c> is not played.</summary>
internal sealed class PkiEngine(MountStorage storage, TimeProvider time) : IEngine
{
    private readonly Issuers issuers = new(storage, time);

    public bool IsOpen(string path) => path is "ca" or "ca/pem" or "ca_chain" or "crl" or "crl/pem" || path.StartsWith("cert/", StringComparison.Ordinal)
        || (path.StartsWith("issuer/", StringComparison.Ordinal) && path.Split('/') is [_, _, "json" or "pem" or "der" or "crl", ..]);

    public Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct) => Task.FromResult((request.Operation, request.Parts) switch
    {
        (VaultOperation.Update, ["root" or "issuers", "generate", .. var how]) when how is ["internal"] or ["root", "internal"] => issuers.GenerateRoot(request.Fields, Limit),
        (VaultOperation.Update, ["intermediate", "generate", "internal"]) => issuers.GenerateIntermediate(request.Fields),
        (VaultOperation.Update, ["intermediate", "set-signed"]) => issuers.SetSigned(request.Fields.Required("certificate")),
        (VaultOperation.Update, ["root", "sign-intermediate"]) => issuers.SignIntermediate("default", request.Fields, Limit),
        (VaultOperation.Update, ["issuer", var issuer, "sign-intermediate"]) => issuers.SignIntermediate(issuer, request.Fields, Limit),
        (VaultOperation.List, ["issuers"]) => issuers.List(),
        (VaultOperation.Read, ["issuer", var issuer]) => issuers.Read(issuer),
        (VaultOperation.Update, ["issuer", var issuer]) => issuers.Write(issuer, request.Fields),
        (VaultOperation.Delete, ["issuer", var issuer]) => issuers.Delete(issuer),
        (VaultOperation.Update, ["issuer", var issuer, "revoke"]) => issuers.Revoke(issuer),
        (VaultOperation.Read, ["config", "issuers"]) => issuers.ReadDefault(),
        (VaultOperation.Update, ["config", "issuers"]) => issuers.WriteDefault(request.Fields),
        (VaultOperation.List, ["roles"]) => EngineAnswer.Keys(storage.Names("role/")),
        (VaultOperation.Update, ["roles", var name]) => WriteRole(name, request.Fields),
        (VaultOperation.Read, ["roles", var name]) => new EngineAnswer(storage.Get($"role/{name}") ?? throw VaultFailure.Missing()),
        (VaultOperation.Delete, ["roles", var name]) => DeleteRole(name),
        (VaultOperation.Update, ["sign", var role]) => Sign(role, null, request.Fields),
        (VaultOperation.Update, ["issuer", var issuer, "sign", var role]) => Sign(role, issuer, request.Fields),
        (VaultOperation.Update, ["revoke"]) => Revoke(request.Fields),
        (VaultOperation.List, ["certs", "revoked"]) => EngineAnswer.Keys(storage.Names("cert/").Where(serial => storage.Get($"cert/{serial}")!.Integer("revocation_time") > 0).Select(serial => serial.Replace('-', ':'))),
        (VaultOperation.List, ["certs"]) => EngineAnswer.Keys(storage.Names("cert/").Select(serial => serial.Replace('-', ':'))),
        (VaultOperation.Read, ["cert", var serial]) => ReadCertificate(serial),
        (VaultOperation.Read, ["ca", "pem"]) => Raw(issuers.Find("default").Pem, "application/pem-certificate-chain"),
        (VaultOperation.Read, ["ca_chain"]) => Raw(string.Concat(issuers.Chain(issuers.Find("default")).Select(issuer => issuer.Pem)), "application/pem-certificate-chain"),
        (VaultOperation.Read, ["crl"]) => new EngineAnswer { Raw = issuers.Crl("default"), ContentType = "application/pkix-crl" },
        (VaultOperation.Read, ["crl", "pem"]) => Raw(issuers.CrlPem("default"), "application/x-pem-file"),
        (VaultOperation.Read, ["issuer", var issuer, "crl", "pem"]) => Raw(issuers.CrlPem(issuer), "application/x-pem-file"),
        (VaultOperation.Read, ["issuer", var issuer, "pem"]) => Raw(issuers.Find(issuer).Pem, "application/x-pem-file"),
        (VaultOperation.Read, ["crl", "rotate"]) => new EngineAnswer(new JsonObject { ["success"] = true }),
        _ => throw VaultFailure.UnsupportedPath(),
    });

    private static TimeSpan Limit => TokenStore.SystemTtl * 120;

    private static EngineAnswer Raw(string text, string type) => new() { Raw = Encoding.ASCII.GetBytes(text), ContentType = type };

    private EngineAnswer WriteRole(string name, JsonObject sent)
    {
        var role = RoleRules.Merged(storage.Get($"role/{name}"), sent);
        if (role.Duration("max_ttl") is { } max && max > TimeSpan.Zero && role.Duration("ttl") > max)
            throw VaultFailure.Rejected("\"ttl\" value must be less than \"max_ttl\" value");
        storage.Put($"role/{name}", role);
        return new(role);
    }

    private EngineAnswer DeleteRole(string name)
    {
        storage.Remove($"role/{name}");
        return EngineAnswer.Nothing;
    }

    private EngineAnswer Sign(string roleName, string? issuerName, JsonObject fields)
    {
        var role = storage.Get($"role/{roleName}") ?? throw VaultFailure.Rejected($"unknown role: {roleName}");
        var issuer = issuers.Find(issuerName ?? role.String("issuer_ref")!);
        if (!issuer.MayIssue)
            throw VaultFailure.Rejected("error fetching CA certificate: issuer is not allowed to issue certificates");
        var sent = Certificates.ReadRequest(fields.Required("csr"));
        RoleRules.CheckKey(role, sent.PublicKey);
        var (name, names, addresses) = Names(role, fields, sent);
        var request = new CertificateRequest(Certificates.Subject(name, role), sent.PublicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(sent.PublicKey, critical: false));
        RoleRules.AddUsages(role, request);
        Certificates.AddNames(request, names, addresses);
        using var signer = issuer.Signer();
        using var certificate = Certificates.Signed(request, signer, time.GetUtcNow(), RoleRules.Ttl(role, fields, TokenStore.SystemTtl));
        var serial = Certificates.Serial(certificate);
        if (!role.Flag("no_store"))
            storage.Put($"cert/{serial.Replace(':', '-')}", new() { ["certificate"] = Issuers.Pem(certificate), ["issuer_id"] = issuer.Id, ["revocation_time"] = 0 });
        return new(new JsonObject
        {
            ["certificate"] = Issuers.Pem(certificate),
            ["issuing_ca"] = issuer.Pem.TrimEnd(),
            ["ca_chain"] = VaultFields.Array(issuers.Chain(issuer).Select(authority => authority.Pem.TrimEnd())),
            ["serial_number"] = serial,
            ["expiration"] = new DateTimeOffset(certificate.NotAfter.ToUniversalTime()).ToUnixTimeSeconds(),
        });
    }

    private static (string Name, List<string> Names, List<IPAddress> Addresses) Names(JsonObject role, JsonObject fields, CertificateRequest sent)
    {
        var name = role.Flag("use_csr_common_name", otherwise: true) ? CommonName(sent) : fields.String("common_name");
        if (string.IsNullOrEmpty(name) && role.Flag("require_cn", otherwise: true))
            throw VaultFailure.Rejected("the common_name field is required, or must be provided in a CSR with \"use_csr_common_name\" set to true, unless \"require_cn\" is set to false");
        var (names, addresses) = role.Flag("use_csr_sans", otherwise: true)
            ? SentNames(sent)
            : ([.. fields.Words("alt_names") ?? []], [.. (fields.Words("ip_sans") ?? []).Select(IPAddress.Parse)]);
        if (!string.IsNullOrEmpty(name) && !fields.Flag("exclude_cn_from_sans") && !names.Contains(name))
            names.Insert(0, name);
        foreach (var each in names)
            RoleRules.CheckName(role, each);
        foreach (var address in addresses)
            RoleRules.CheckAddress(role, address);
        return (name ?? "", names, addresses);
    }

    private static string? CommonName(CertificateRequest sent) => sent.SubjectName.EnumerateRelativeDistinguishedNames()
        .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == "2.5.4.3").Select(part => part.GetSingleElementValue()).FirstOrDefault();

    private static (List<string> Names, List<IPAddress> Addresses) SentNames(CertificateRequest sent)
    {
        var extension = sent.CertificateExtensions.FirstOrDefault(candidate => candidate.Oid?.Value == "2.5.29.17");
        if (extension is null)
            return ([], []);
        var names = new X509SubjectAlternativeNameExtension(extension.RawData);
        return ([.. names.EnumerateDnsNames()], [.. names.EnumerateIPAddresses()]);
    }

    private EngineAnswer Revoke(JsonObject fields)
    {
        var (serial, given) = (fields.String("serial_number"), fields.String("certificate"));
        if (string.IsNullOrEmpty(serial) == string.IsNullOrEmpty(given))
            throw VaultFailure.Rejected(string.IsNullOrEmpty(serial) ? "The serial number or certificate to revoke must be provided." : "Must provide either the certificate or the serial to revoke; not both.");
        return Revoke(serial is { Length: > 0 } ? serial : TakeIn(given!));
    }

    /// <summary>A certificate that is not stored, or not any more: one of the issuers has to have signed it.</summary>
    private string TakeIn(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        var issuer = issuers.Signing(certificate) ?? throw VaultFailure.Rejected("unable to verify signature on presented cert from any present issuer in this mount; certificates from previous CAs will need to have their issuing CA and key re-imported if revocation is necessary");
        var serial = Certificates.Serial(certificate);
        var path = $"cert/{serial.Replace(':', '-')}";
        if (storage.Get(path) is null)
            storage.Put(path, new() { ["certificate"] = pem, ["issuer_id"] = issuer.Id, ["revocation_time"] = 0 });
        return serial;
    }

    private EngineAnswer Revoke(string serial)
    {
        var path = $"cert/{serial.Replace(':', '-').ToLowerInvariant()}";
        var stored = storage.Get(path) ?? throw VaultFailure.Rejected($"certificate with serial {serial} not found.");
        if (stored.Integer("revocation_time") == 0)
        {
            stored["revocation_time"] = time.GetUtcNow().ToUnixTimeSeconds();
            storage.Put(path, stored);
        }

        var at = stored["revocation_time"].Number()!.Value;
        return new(new JsonObject { ["revocation_time"] = at, ["revocation_time_rfc3339"] = VaultFields.Time(DateTimeOffset.FromUnixTimeSeconds(at)), ["state"] = "revoked" });
    }

    private EngineAnswer ReadCertificate(string serial)
    {
        switch (serial)
        {
            case "ca":
                return new(new JsonObject { ["certificate"] = issuers.Find("default").Pem, ["revocation_time"] = 0 });
            case "ca_chain":
                var chain = issuers.Chain(issuers.Find("default")).Select(issuer => issuer.Pem.TrimEnd()).ToList();
                return new(new JsonObject { ["ca_chain"] = string.Join('\n', chain), ["certificate"] = string.Join('\n', chain), ["revocation_time"] = 0 });
            case "crl":
                return new(new JsonObject { ["certificate"] = issuers.CrlPem("default"), ["revocation_time"] = 0 });
            default:
                var stored = storage.Get($"cert/{serial.Replace(':', '-').ToLowerInvariant()}") ?? throw VaultFailure.Missing();
                stored["revocation_time_rfc3339"] = stored["revocation_time"].Number() is { } at and > 0 ? VaultFields.Time(DateTimeOffset.FromUnixTimeSeconds(at)) : "";
                return new(stored);
        }
    }
}
