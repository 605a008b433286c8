using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Engines.Pki;

/// <summary>The certificate authorities of one engine; several at a time, so that one can take over from another.</summary>
internal sealed class Issuers(MountStorage storage, TimeProvider time)
{
    private const string Prefix = "issuer/";

    public static string Pem(X509Certificate2 certificate) => certificate.ExportCertificatePem();

    /// <summary>By id, by name, or <c>default</c>.</summary>
    public StoredIssuer Find(string reference)
    {
        var wanted = reference == "default" ? storage.Get("default")?.String("default") ?? "" : reference;
        return All.FirstOrDefault(issuer => wanted.Length > 0 && (issuer.Id == wanted || issuer.Name == wanted))
            ?? throw (reference == "default" ? VaultFailure.Rejected("no default issuer currently configured") : VaultFailure.Rejected($"unable to find PKI issuer for reference: {reference}"));
    }

    /// <summary>An issuer and what vouches for it, as far as it is known here.</summary>
    public IEnumerable<StoredIssuer> Chain(StoredIssuer issuer)
    {
        var known = All.ToList();
        var seen = new HashSet<string>();
        for (var next = issuer; next is not null && seen.Add(next.Id);)
        {
            yield return next;
            using var certificate = next.Certificate();
            var parent = certificate.IssuerName.RawData;
            next = known.FirstOrDefault(candidate => !seen.Contains(candidate.Id) && Certifies(candidate, parent, certificate));
        }
    }

    public EngineAnswer GenerateRoot(JsonObject fields, TimeSpan limit)
    {
        using var key = PrivateKey.Make(fields);
        var request = PrivateKey.Request(Certificates.Subject(fields.Required("common_name"), fields), key);
        var ttl = fields.Duration("ttl") is { } asked && asked > TimeSpan.Zero ? asked : Access.TokenStore.SystemTtl;
        using var certificate = Certificates.SelfSigned(request, key, time.GetUtcNow(), ttl < limit ? ttl : limit, fields.Integer("max_path_length"));
        var issuer = Add(certificate, PrivateKey.Write(key), fields.String("issuer_name") ?? "");
        return new(new JsonObject
        {
            ["certificate"] = Pem(certificate),
            ["issuing_ca"] = Pem(certificate),
            ["serial_number"] = Certificates.Serial(certificate),
            ["expiration"] = new DateTimeOffset(certificate.NotAfter.ToUniversalTime()).ToUnixTimeSeconds(),
            ["issuer_id"] = issuer.Id,
            ["issuer_name"] = issuer.Name,
            ["key_id"] = issuer.Stored.String("key_id"),
            ["key_name"] = "",
        });
    }

    public EngineAnswer GenerateIntermediate(JsonObject fields)
    {
        using var key = PrivateKey.Make(fields);
        var request = PrivateKey.Request(Certificates.Subject(fields.Required("common_name"), fields), key);
        var id = Guid.NewGuid().ToString();
        // Until the signed certificate comes back, the key waits for it.
        storage.Put($"key/{id}", new() { ["key"] = PrivateKey.Write(key), ["public"] = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()) });
        return new(new JsonObject { ["csr"] = request.CreateSigningRequestPem(), ["key_id"] = id });
    }

    public EngineAnswer SignIntermediate(string reference, JsonObject fields, TimeSpan limit)
    {
        var issuer = Find(reference);
        var sent = Certificates.ReadRequest(fields.Required("csr"));
        var subject = fields.Flag("use_csr_values") ? sent.SubjectName : Certificates.Subject(fields.Required("common_name"), fields);
        var request = new CertificateRequest(subject, sent.PublicKey, HashAlgorithmName.SHA256);
        Certificates.AddAuthority(request, fields.Integer("max_path_length"));
        using var signer = issuer.Signer();
        var ttl = fields.Duration("ttl") is { } asked && asked > TimeSpan.Zero ? asked : Access.TokenStore.SystemTtl;
        using var certificate = Certificates.Signed(request, signer, time.GetUtcNow(), ttl < limit ? ttl : limit);
        storage.Put($"cert/{Certificates.Serial(certificate).Replace(':', '-')}", new() { ["certificate"] = Pem(certificate), ["issuer_id"] = issuer.Id, ["revocation_time"] = 0 });
        return new(new JsonObject
        {
            ["certificate"] = Pem(certificate),
            ["issuing_ca"] = issuer.Pem.TrimEnd(),
            ["ca_chain"] = VaultFields.Array(Chain(issuer).Select(authority => authority.Pem.TrimEnd())),
            ["serial_number"] = Certificates.Serial(certificate),
            ["expiration"] = new DateTimeOffset(certificate.NotAfter.ToUniversalTime()).ToUnixTimeSeconds(),
        });
    }

    public EngineAnswer SetSigned(string bundle)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(bundle);
        }
        catch (CryptographicException)
        {
            throw VaultFailure.Rejected("provided PEM block contained no certificates");
        }

        var imported = new List<string>();
        foreach (var certificate in certificates)
        {
            using (certificate)
            {
                var pem = Pem(certificate);
                if (All.Any(known => known.Pem == pem))
                    continue;
                imported.Add(Add(certificate, KeyOf(certificate), "").Id);
            }
        }

        return new(new JsonObject { ["imported_issuers"] = VaultFields.Array(imported), ["imported_keys"] = null, ["mapping"] = new JsonObject(imported.Select(id => KeyValuePair.Create(id, (JsonNode?)Find(id).Stored.String("key_id")))) });
    }

    public EngineAnswer List() => EngineAnswer.Keys(All.Select(issuer => issuer.Id), new(All.Select(issuer => KeyValuePair.Create(issuer.Id, (JsonNode?)new JsonObject
    {
        ["issuer_name"] = issuer.Name,
        ["is_default"] = storage.Get("default")?.String("default") == issuer.Id,
        ["key_id"] = issuer.Stored.String("key_id"),
    }))));

    public EngineAnswer Read(string reference)
    {
        var issuer = Find(reference);
        var shown = (JsonObject)issuer.Stored.DeepClone();
        shown.Remove("key");
        shown["usage"] = string.Join(',', issuer.Stored.Words("usage")!);
        shown["ca_chain"] = VaultFields.Array(Chain(issuer).Select(authority => authority.Pem));
        return new(shown);
    }

    public EngineAnswer Write(string reference, JsonObject fields)
    {
        var issuer = Find(reference);
        if (fields.String("issuer_name") is { } name)
        {
            if (name.Length > 0 && All.Any(other => other.Id != issuer.Id && other.Name == name))
                throw VaultFailure.Rejected("issuer name already in use");
            issuer.Stored["issuer_name"] = name;
        }

        if (fields.Words("usage") is { } usage)
            issuer.Stored["usage"] = VaultFields.Array(usage);
        storage.Put(Prefix + issuer.Id, issuer.Stored);
        return Read(issuer.Id);
    }

    public EngineAnswer Delete(string reference)
    {
        var issuer = Find(reference);
        storage.Remove(Prefix + issuer.Id);
        if (storage.Get("default")?.String("default") == issuer.Id)
            storage.Remove("default");
        return EngineAnswer.Nothing;
    }

    public EngineAnswer Revoke(string reference)
    {
        var issuer = Find(reference);
        issuer.Stored["revoked"] = true;
        storage.Put(Prefix + issuer.Id, issuer.Stored);
        return Read(issuer.Id);
    }

    public EngineAnswer ReadDefault() => new(new JsonObject { ["default"] = storage.Get("default")?.String("default") ?? "", ["default_follows_latest_issuer"] = false });

    public EngineAnswer WriteDefault(JsonObject fields)
    {
        storage.Put("default", new() { ["default"] = Find(fields.Required("default")).Id });
        return ReadDefault();
    }

    /// <summary>Who has signed a certificate; null: none of these.</summary>
    public StoredIssuer? Signing(X509Certificate2 certificate) => All.FirstOrDefault(issuer =>
    {
        using var authority = X509Certificate2.CreateFromPem(issuer.Pem);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // One that has ended may be revoked too, and an intermediate is not trusted by itself.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid | X509VerificationFlags.AllowUnknownCertificateAuthority;
        return certificate.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData)
            && chain.Build(certificate) && chain.ChainElements.Count > 1 && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(authority.RawDataMemory.Span);
    });

    public string CrlPem(string reference) => PemEncoding.WriteString("X509 CRL", Crl(reference));

    /// <summary>What this issuer has revoked, signed by it.</summary>
    public byte[] Crl(string reference)
    {
        var issuer = Find(reference);
        var now = time.GetUtcNow();
        var builder = new CertificateRevocationListBuilder();
        foreach (var name in storage.Names("cert/").ToList())
        {
            var stored = storage.Get($"cert/{name}")!;
            if (stored.String("issuer_id") == issuer.Id && stored["revocation_time"].Number() is { } at and > 0)
                builder.AddEntry(Certificates.Serial(name), DateTimeOffset.FromUnixTimeSeconds(at));
        }

        using var signer = issuer.Signer();
        return builder.Build(signer, new(now.ToUnixTimeSeconds()), now.AddDays(3), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, now);
    }

    private IEnumerable<StoredIssuer> All => storage.Names(Prefix).Select(id => new StoredIssuer(storage.Get(Prefix + id)!));

    private StoredIssuer Add(X509Certificate2 certificate, string? key, string name)
    {
        if (name == "default")
            throw VaultFailure.Rejected("reserved keyword 'default' can not be used as issuer name");
        if (name.Length > 0 && All.Any(other => other.Name == name))
            throw VaultFailure.Rejected("issuer name already in use");
        var stored = new JsonObject
        {
            ["issuer_id"] = Guid.NewGuid().ToString(),
            ["issuer_name"] = name,
            ["key_id"] = key is null ? "" : Guid.NewGuid().ToString(),
            ["certificate"] = Pem(certificate) + "\n",
            ["key"] = key,
            ["leaf_not_after_behavior"] = "err",
            ["usage"] = new JsonArray("crl-signing", "issuing-certificates", "read-only"),
            ["revoked"] = false,
        };
        storage.Put(Prefix + stored.String("issuer_id"), stored);
        // The first one that can sign is the default until somebody says otherwise.
        if (key is not null && storage.Get("default") is null)
            storage.Put("default", new() { ["default"] = stored.String("issuer_id") });
        return new(stored);
    }

    private string? KeyOf(X509Certificate2 certificate)
    {
        var wanted = Convert.ToBase64String(certificate.PublicKey.ExportSubjectPublicKeyInfo());
        return storage.Names("key/").Select(id => storage.Get($"key/{id}")!).FirstOrDefault(key => key.String("public") == wanted)?.String("key");
    }

    private static bool Certifies(StoredIssuer candidate, byte[] parent, X509Certificate2 child)
    {
        using var certificate = candidate.Certificate();
        if (!certificate.SubjectName.RawData.AsSpan().SequenceEqual(parent))
            return false;
        var wanted = child.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier;
        var own = certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()?.SubjectKeyIdentifierBytes;
        return wanted is null || own is null || wanted.Value.Span.SequenceEqual(own.Value.Span);
    }
}
