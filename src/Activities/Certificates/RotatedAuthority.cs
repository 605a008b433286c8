using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Certificates;

namespace PlatformOps.Activities.Certificates;

/// <summary>One certificate authority of one region, with everything that is asked about it.</summary>
/// <param name="certificates">What it has signed, as the catalog declares it.</param>
/// <param name="labels">What our own workloads carry.</param>
internal sealed class RotatedAuthority(AuthorityDefinition authority, IReadOnlyList<CertificateDefinition> certificates, VaultPki pki, KubernetesConnection cluster, IReadOnlyDictionary<string, string> labels)
{
    /// <summary>Certificates that pods are asked with end soon: they are signed at every look, and nobody keeps them.</summary>
    private static readonly TimeSpan ProbeLifetime = TimeSpan.FromHours(1);

    private readonly TlsSecrets secrets = new(cluster);
    private readonly CertificateConsumers consumers = new(cluster);
    private readonly TrustPlaces places = new(authority, certificates, cluster, labels);

    public async Task<ObservedAuthority> ObserveAsync(string rotation, TimeProvider time, CancellationToken ct)
    {
        var (issuers, pems) = await IssuersAsync(ct);
        var named = await places.ReadAsync(ct);
        var seen = new ObservedAuthority(issuers, [.. named.Select(place => new TrustPlace(place.Name, [.. place.Bundle.Keys]))], [], [], null, time.GetUtcNow());
        var next = AuthorityPolicy.Next(seen, Progress(rotation));
        var old = next is null ? null : AuthorityPolicy.Before(seen, next);
        var (found, leaves) = (new List<TrustingConsumer>(), new List<SignedLeaf>());
        using var probes = next is null || old is null or { Revoked: true } ? null : await ProbesAsync(next, old, ct);
        foreach (var certificate in certificates)
        {
            found.AddRange(await TrustingAsync(certificate, probes, ct));
            leaves.Add(await LeafAsync(certificate, issuers, pems, ct));
        }

        if (authority.Secret is { } own)
            found.AddRange(await consumers.TrustingAsync(authority.Namespace, own, authority.Reloads, await StampAsync(authority.Namespace, own, ct), labels, null, [], ct));
        return seen with
        {
            Consumers = [.. found.OrderBy(consumer => consumer.Name, StringComparer.Ordinal)],
            Leaves = leaves,
            Trouble = await TroubleAsync(issuers, pems, ct),
            Validation = next is null || old is null ? null : await ValidateAsync(next, old, pems, probes, named, time.GetUtcNow(), ct),
        };
    }

    /// <summary>Carries one step out; what it finds done, it leaves.</summary>
    /// <returns>What was done, as a sentence.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it is not any more as it was when the step was decided on.</exception>
    public async Task<string> CarryOutAsync(AuthorityStepInput step, CancellationToken ct)
    {
        var (issuers, pems) = await IssuersAsync(ct);
        var seen = new ObservedAuthority(issuers, [], [], [], null, default);
        var signing = issuers.FirstOrDefault(issuer => issuer.Signs) ?? throw Moved("No root signs any more.");
        var next = AuthorityPolicy.Next(seen, Progress(step.Rotation));
        if (step.Step == AuthorityStep.Prepare)
            return next is not null ? $"{next.Name} is there already." : await PrepareAsync(signing, step.Rotation, ct);
        if (step.Step == AuthorityStep.Refresh)
            return await RefreshAsync(step.About!, ct);
        if (next is null)
            return step.Step == AuthorityStep.Discard ? "It is gone already." : throw Moved("The new root is not there any more.");
        var old = AuthorityPolicy.Before(seen, next) ?? throw Moved("The old root is not there any more.");
        switch (step.Step)
        {
            case AuthorityStep.AddTrust:
                await places.WriteAsync(add: [pems[old.Fingerprint], pems[next.Fingerprint]], remove: [], ct);
                return "Both roots are named everywhere, the new one behind the old one.";
            case AuthorityStep.Activate:
                await pki.SetDefaultIssuerAsync(next.Id, ct);
                return $"{next.Name} signs.";
            case AuthorityStep.Deactivate:
                await pki.SetDefaultIssuerAsync(old.Id, ct);
                return "The old root signs again.";
            case AuthorityStep.DropTrust when next.Signs:
                await places.WriteAsync(add: [pems[next.Fingerprint]], remove: [old.Fingerprint], ct);
                return "Only the new root is named everywhere.";
            case AuthorityStep.RestoreTrust when old.Signs:
                await places.WriteAsync(add: [pems[old.Fingerprint]], remove: [next.Fingerprint], ct);
                return "Only the old root is named everywhere.";
            case AuthorityStep.Revoke when next.Signs:
                await pki.RevokeIssuerAsync(old.Id, ct);
                return "Vault has revoked the old root.";
            case AuthorityStep.Discard when old.Signs:
                await pki.DeleteIssuerAsync(next.Id, ct);
                return "The new root is deleted.";
            default:
                throw Moved($"{step.Step} is not possible: {signing.Name} signs.");
        }
    }

    private AuthorityProgress Progress(string rotation) => new(authority.Name, rotation, authority.Settle, null, [], false);

    private async Task<(IReadOnlyList<AuthorityIssuer> Issuers, IReadOnlyDictionary<string, string> Pems)> IssuersAsync(CancellationToken ct)
    {
        var signs = await pki.DefaultIssuerAsync(ct);
        var (issuers, pems) = (new List<AuthorityIssuer>(), new Dictionary<string, string>());
        foreach (var issuer in await pki.IssuersAsync(ct))
        {
            using var read = ReadLeaf.Of(issuer.Pem) ?? throw new AdapterException(AdapterFailureKind.Rejected, $"Issuer {issuer.Name} of {authority.Mount} has no certificate that can be read.");
            issuers.Add(new(issuer.Id, issuer.Name, read.Fingerprint, read.NotAfter, issuer.Id == signs, issuer.Revoked));
            pems[read.Fingerprint] = issuer.Pem;
        }

        return (issuers, pems);
    }

    private async Task<string> PrepareAsync(AuthorityIssuer signing, string rotation, CancellationToken ct)
    {
        var name = AuthorityPolicy.NameOf(authority.Name, rotation, signing.Fingerprint);
        // A name of its own: clients that look for an issuer by name must not find the old one.
        await pki.GenerateRootAsync($"{authority.CommonName} {rotation}", name, authority.Lifetime, ct);
        return $"{name} is made; its key never leaves Vault.";
    }

    private async Task<string> RefreshAsync(string consumer, CancellationToken ct)
    {
        var parts = consumer.Split('/', 2);
        foreach (var secret in certificates.Where(certificate => certificate.Namespace == parts[0]).Select(certificate => certificate.Secret).Append(authority.Namespace == parts[0] ? authority.Secret : null).OfType<string>().Take(1))
            await consumers.RestartAsync(parts[0], parts[1], await StampAsync(parts[0], secret, ct), ct);
        return $"{consumer} is being restarted.";
    }

    private async Task<IReadOnlyList<TrustingConsumer>> TrustingAsync(CertificateDefinition certificate, Probes? probes, CancellationToken ct)
    {
        var stamp = await StampAsync(certificate.Namespace, certificate.Secret, ct);
        Func<string, string, Task<TrustingPod>>? ask = probes is not null && certificate is { Mutual: true, Port: { } port } ? AskAsync : null;
        return await consumers.TrustingAsync(certificate.Namespace, certificate.Secret, certificate.Reloads, stamp, labels, ask, certificate.Clients, ct);

        async Task<TrustingPod> AskAsync(string pod, string address)
        {
            var fresh = await BeliefAsync(address, probes.New);
            var old = await BeliefAsync(address, probes.Old);
            return new(pod, fresh.Accepts, old.Accepts, $"shown a certificate of the new root: {fresh.Detail} Of the old one: {old.Detail}");
        }

        // Twice: a connection that happens to break is no refusal.
        async Task<Belief> BeliefAsync(string address, X509Certificate2 shown)
        {
            var first = await TrustProbe.AskAsync(address, certificate.Port!.Value, certificate.ServerName, shown, ct);
            return first.Accepts == false ? await TrustProbe.AskAsync(address, certificate.Port.Value, certificate.ServerName, shown, ct) : first;
        }
    }

    private async Task<SignedLeaf> LeafAsync(CertificateDefinition certificate, IReadOnlyList<AuthorityIssuer> issuers, IReadOnlyDictionary<string, string> pems, CancellationToken ct)
    {
        var secret = await secrets.FindAsync(certificate.Namespace, certificate.Secret, ct);
        using var leaf = secret?.Certificate is { } pem ? ReadLeaf.Of(pem) : null;
        if (leaf is null)
            return new(certificate.Name, null, [], Unfinished: false, Broken: false);
        using var identity = leaf.WithKey(secret!.Key);
        var users = await consumers.FindAsync(certificate, leaf.Fingerprint, identity, labels, ct);
        var unserved = certificate.Port is null ? [] : users.SelectMany(user => user.Pods).Where(pod => pod.Fingerprint != leaf.Fingerprint).ToList();
        return new(
            certificate.Name, issuers.FirstOrDefault(issuer => leaf.ChainsTo(pems[issuer.Fingerprint], leaf.NotBefore.AddMinutes(1)))?.Fingerprint, [.. unserved.Take(20).Select(pod => $"{pod.Name}: {pod.Detail}")],
            secret.Replaced.Count > 0, unserved.Exists(pod => pod.Fingerprint is null) || users.Any(user => user.Standing == RestartStanding.Failed));
    }

    /// <summary>Every certificate in use, and one of each root, against everything that names whom to trust.</summary>
    private async Task<CrossValidation> ValidateAsync(
        AuthorityIssuer next, AuthorityIssuer old, IReadOnlyDictionary<string, string> pems, Probes? probes, IReadOnlyList<NamedTrust> named, DateTimeOffset now, CancellationToken ct)
    {
        var (used, all) = (new List<(string Name, ReadLeaf Leaf)>(), new List<(string Name, ReadLeaf Leaf)>());
        try
        {
            foreach (var certificate in certificates)
            {
                if ((await secrets.FindAsync(certificate.Namespace, certificate.Secret, ct))?.Certificate is { } pem && ReadLeaf.Of(pem) is { } leaf)
                    used.Add(($"Certificate {certificate.Name}", leaf));
            }

            all.AddRange(probes is null ? [] : [("A certificate of the new root", ReadLeaf.Of(probes.New.ExportCertificatePem())!), ("A certificate of the old root", ReadLeaf.Of(probes.Old.ExportCertificatePem())!)]);
            return new(
                Refused([.. used, .. all], place => place.Pem, "names"),
                Refused([.. used, .. all.Take(1)], place => place.PemWith(pems[next.Fingerprint], instead: old.Fingerprint), "will name without the old root"),
                Refused([.. used, .. all.Skip(1)], place => place.PemWith(pems[old.Fingerprint], instead: next.Fingerprint), "will name without the new root"));
        }
        finally
        {
            used.Concat(all).ToList().ForEach(known => known.Leaf.Dispose());
        }

        IReadOnlyList<string> Refused(IReadOnlyList<(string Name, ReadLeaf Leaf)> leaves, Func<NamedTrust, string> bundle, string how) =>
            [.. leaves.SelectMany(leaf => named.Where(place => !leaf.Leaf.ChainsTo(bundle(place), now)).Select(place => $"{leaf.Name} does not lead to what {place.Name} {how}.")).Take(20)];
    }

    /// <summary>Certificates of both roots, as anybody's who may ask the pods.</summary>
    private async Task<Probes?> ProbesAsync(AuthorityIssuer next, AuthorityIssuer old, CancellationToken ct)
    {
        if (certificates.OrderByDescending(certificate => certificate is { Mutual: true, Port: not null }).FirstOrDefault() is not { } example)
            return null;
        return new(await SignedAsync(next.Id), await SignedAsync(old.Id));

        async Task<X509Certificate2> SignedAsync(string issuer)
        {
            using var request = new LeafRequest(example.DnsNames);
            var signed = await pki.SignAsync(example.Role, request.Pem, ProbeLifetime, ct, issuer);
            using var leaf = ReadLeaf.Of(signed.Pem)!;
            return leaf.WithKey(request.Key)!;
        }
    }

    private async Task<string?> TroubleAsync(IReadOnlyList<AuthorityIssuer> issuers, IReadOnlyDictionary<string, string> pems, CancellationToken ct)
    {
        if (issuers.FirstOrDefault(issuer => issuer.Signs) is { } signing && !ReadLeaf.IsSelfSigned(pems[signing.Fingerprint]))
            return $"{signing.Name} is signed by another authority: rotate that one.";
        foreach (var role in certificates.Select(certificate => certificate.Role).Distinct())
        {
            if (await pki.ReadRoleAsync(role, ct) is { Issuer: not "default" } fixedRole)
                return $"Role {role} of {authority.Mount} has its certificates signed by {fixedRole.Issuer}, always. Let it follow the default issuer (issuer_ref), then retry.";
        }

        return await places.ForeignAsync(pems.Where(pem => issuers.Any(issuer => issuer.Signs && issuer.Fingerprint == pem.Key)).Select(pem => pem.Value).FirstOrDefault(), ct);
    }

    /// <summary>The annotation of a restart for whom a Secret names now.</summary>
    private async Task<KeyValuePair<string, string>> StampAsync(string space, string secret, CancellationToken ct)
    {
        var named = ReadLeaf.Bundle((await secrets.FindAsync(space, secret, ct))?.Authorities ?? "").Keys.Order(StringComparer.Ordinal);
        return new($"certificates.platformops.io/trust-{authority.Name}", Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join(' ', named))))[..16]);
    }

    private static AdapterException Moved(string why) => new(AdapterFailureKind.Moved, $"{why} It is looked at again.");

    private sealed record Probes(X509Certificate2 New, X509Certificate2 Old) : IDisposable
    {
        public void Dispose()
        {
            New.Dispose();
            Old.Dispose();
        }
    }
}
