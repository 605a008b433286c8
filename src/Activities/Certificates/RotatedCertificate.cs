using PlatformOps.Adapters;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Certificates;

namespace PlatformOps.Activities.Certificates;

/// <summary>One certificate of one region, with everything that is asked about it.</summary>
/// <param name="labels">What our own workloads carry.</param>
internal sealed class RotatedCertificate(CertificateDefinition certificate, VaultPki authority, KubernetesConnection cluster, IReadOnlyDictionary<string, string> labels)
{
    private readonly TlsSecrets secrets = new(cluster);
    private readonly CertificateConsumers consumers = new(cluster);

    private DeclaredKeystores Stores => new(secrets, certificate.Namespace, certificate.Secret, certificate.Keystores);

    public async Task<ObservedCertificate> ObserveAsync(TimeProvider time, CancellationToken ct)
    {
        var secret = await secrets.FindAsync(certificate.Namespace, certificate.Secret, ct);
        var owner = secret?.CertManager == true || await secrets.IsOfCertManagerAsync(certificate.Namespace, certificate.Secret, ct) ? CertificateOwner.CertManager : CertificateOwner.Ours;
        using var leaf = secret?.Certificate is { } pem ? ReadLeaf.Of(pem) : null;
        using var identity = leaf?.WithKey(secret?.Key);
        var current = leaf is null ? null : new LeafCertificate(
            leaf.Fingerprint, leaf.Serial, secret!.Rotation, leaf.NotBefore, leaf.NotAfter, leaf.DnsNames,
            // Others' certificates are others' business.
            owner == CertificateOwner.CertManager ? LeafStanding.Foreign : await StandingAsync(leaf.Serial, ct));
        var replaced = new List<ReplacedLeaf>();
        foreach (var serial in owner == CertificateOwner.CertManager ? [] : secret?.Replaced ?? [])
            replaced.Add(new(serial, await StandingAsync(serial, ct)));
        return new(
            owner, current, owner == CertificateOwner.CertManager ? null : Trouble(secret, leaf, identity is not null) ?? await OtherSignerAsync(leaf!, ct) ?? await Stores.TroubleAsync(secret, leaf!.Fingerprint, ct), replaced, certificate.Port is not null,
            await consumers.FindAsync(certificate, current?.Fingerprint ?? "", identity, labels, ct), time.GetUtcNow());
    }

    /// <summary>Carries one step out; what it finds done, it leaves.</summary>
    /// <returns>What was done, as a sentence.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it is not any more as it was when the step was decided on.</exception>
    public async Task<string> CarryOutAsync(CertificateStepInput step, CancellationToken ct)
    {
        var secret = await secrets.FindAsync(certificate.Namespace, certificate.Secret, ct);
        using var leaf = secret?.Certificate is { } pem ? ReadLeaf.Of(pem) : null;
        if ((leaf?.Fingerprint ?? "") != step.Fingerprint)
            throw new AdapterException(AdapterFailureKind.Moved, $"Secret {certificate.Namespace}/{certificate.Secret} holds another certificate than when it was decided what to do. It is looked at again.");
        return step.Step switch
        {
            CertificateStep.Issue => await IssueAsync(secret, leaf, step.Rotation, ct),
            CertificateStep.Refresh => await RefreshAsync(step, ct),
            CertificateStep.Revoke => await RevokeAsync(secret!, leaf!, ct),
            _ => throw new InvalidOperationException($"{step.Step} is nothing to carry out."),
        };
    }

    /// <summary>The key is made here, goes into the Secret, and is forgotten. When the answer is lost before it is written, nobody has the key, and the certificate is of no use to anybody.</summary>
    private async Task<string> IssueAsync(TlsSecret? secret, ReadLeaf? before, string rotation, CancellationToken ct)
    {
        if (secret?.CertManager == true || await secrets.IsOfCertManagerAsync(certificate.Namespace, certificate.Secret, ct))
            throw new AdapterException(AdapterFailureKind.Moved, $"Secret {certificate.Namespace}/{certificate.Secret} belongs to cert-manager, which renews it itself.");
        var replaced = (secret?.Replaced ?? []).ToList();
        if (before is not null && !replaced.Contains(before.Serial) && await StandingAsync(before.Serial, ct) == LeafStanding.Valid)
            replaced.Add(before.Serial);
        using var request = new LeafRequest(certificate.DnsNames);
        var signed = await authority.SignAsync(certificate.Role, request.Pem, certificate.Lifetime, ct);
        var between = signed.Chain.Where(issuer => !ReadLeaf.IsSelfSigned(issuer)).ToList();
        var root = signed.Chain.Count > 0 ? signed.Chain[^1] : signed.IssuerPem;
        var (chain, trusted) = (Pem([signed.Pem, .. between]), await TrustedAsync(secret, root, ct));
        await secrets.WriteAsync(
            certificate.Namespace, certificate.Secret, secret, chain, request.Key, trusted, await Stores.MakeAsync(chain, request.Key, trusted, ct), rotation, replaced, labels, ct);
        return $"Secret {certificate.Namespace}/{certificate.Secret} holds the certificate {signed.Serial}, valid until {signed.NotAfter:u}.";
    }

    /// <summary>Whom the Secret has named stays named: others may still show certificates of them. A new Secret names everybody who may have signed what is in use.</summary>
    private async Task<string> TrustedAsync(TlsSecret? before, string root, CancellationToken ct)
    {
        var named = before?.Authorities is { } there
            ? ReadLeaf.Bundle(there).Values
            : (await authority.IssuersAsync(ct)).Where(issuer => !issuer.Revoked && ReadLeaf.IsSelfSigned(issuer.Pem)).Select(issuer => issuer.Pem);
        return string.Concat(named.Append(root).SelectMany(ReadLeaf.Bundle).DistinctBy(certificate => certificate.Key).Select(certificate => certificate.Value));
    }

    private async Task<string> RefreshAsync(CertificateStepInput step, CancellationToken ct)
    {
        foreach (var consumer in step.Consumers)
            await consumers.RestartAsync(certificate.Namespace, consumer, certificate.Secret, step.Fingerprint, ct);
        return $"{string.Join(", ", step.Consumers)} is being restarted.";
    }

    /// <summary>Vault first: a certificate that is forgotten and still valid could never be revoked by whoever comes next.</summary>
    private async Task<string> RevokeAsync(TlsSecret secret, ReadLeaf current, CancellationToken ct)
    {
        var old = secret.Replaced.Where(serial => serial != current.Serial).ToList();
        foreach (var serial in old)
        {
            if (await StandingAsync(serial, ct) == LeafStanding.Valid)
                await authority.RevokeAsync(serial, ct);
        }

        await secrets.ForgetReplacedAsync(certificate.Namespace, certificate.Secret, secret, ct);
        return $"Revoked: {string.Join(", ", old.DefaultIfEmpty("nothing"))}.";
    }

    private async Task<LeafStanding> StandingAsync(string serial, CancellationToken ct) => await authority.ReadCertificateAsync(serial, ct) switch
    {
        null => LeafStanding.Foreign,
        { RevokedAt: not null } => LeafStanding.Revoked,
        _ => LeafStanding.Valid,
    };

    /// <summary>Whether another issuer signs by now than the one of the certificate.</summary>
    private async Task<string?> OtherSignerAsync(ReadLeaf leaf, CancellationToken ct)
    {
        if (await authority.ReadRoleAsync(certificate.Role, ct) is not { } role)
            throw new AdapterException(AdapterFailureKind.Rejected, $"Vault has no role {certificate.Role} for certificate {certificate.Name}. Create it, or correct the catalog.");
        var issuer = await authority.IssuerAsync(role.Issuer, ct);
        return leaf.ChainsTo(issuer.Pem, leaf.NotBefore + ((leaf.NotAfter - leaf.NotBefore) / 2)) ? null : $"The certificate was signed by another issuer than {(issuer.Name.Length > 0 ? issuer.Name : issuer.Id)}, who signs now.";
    }

    private string? Trouble(TlsSecret? secret, ReadLeaf? leaf, bool fits) => (secret, leaf) switch
    {
        (null, _) => "There is no such Secret.",
        (_, null) => "The Secret holds no certificate that can be read.",
        _ when !fits => "The key in the Secret is not that of its certificate.",
        _ when certificate.DnsNames.Except(leaf.DnsNames).ToList() is { Count: > 0 } missing => $"The certificate is not valid for {string.Join(", ", missing)}.",
        _ when secret.Authorities is null || !leaf.ChainsTo(secret.Authorities, leaf.NotBefore + ((leaf.NotAfter - leaf.NotBefore) / 2)) => "The certificate does not lead to an authority in ca.crt of its Secret.",
        _ => null,
    };

    private static string Pem(IEnumerable<string> certificates) => string.Concat(certificates.Select(certificate => $"{certificate.Trim()}\n"));
}
