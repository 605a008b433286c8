using System.Collections.Concurrent;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Certificates;

/// <summary>What rotations of certificates do to the outside. Private keys live inside one call and are in no answer, failure or log.</summary>
/// <param name="sources">Where specification and catalog are; read anew by every activity.</param>
/// <param name="connections">How the regions are reached.</param>
/// <param name="time">The clock of what is due; default: the system's.</param>
public sealed class CertificateActivities(ProvisioningSources sources, PlatformConnections connections, TimeProvider? time = null) : ICertificateActivities, IDisposable
{
    /// <summary>How many Secrets are read at once.</summary>
    private const int Parallel = 8;

    private readonly RegionConnections regions = new(connections);
    private readonly TimeProvider time = time ?? TimeProvider.System;

    private static CancellationToken Cancellation => ActivityExecutionContext.Current.CancellationToken;

    /// <inheritdoc/>
    public Task<FoundCertificates> FindCertificatesAsync(FindCertificatesInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        var all = specified.Environment.Regions.SelectMany(region => Declared(specified, region.Name).Select(certificate => (Region: region, Certificate: certificate))).ToList();
        if (input.Names?.FirstOrDefault(name => !all.Exists(known => known.Certificate.Name == name)) is { } unknown)
            throw Invalid($"Field 'certificates' names '{unknown}', which {input.Environment} does not have. Possible: {string.Join(", ", all.Select(known => known.Certificate.Name).Distinct().DefaultIfEmpty("none"))}.");
        var declared = new ConcurrentBag<FoundCertificate>();
        await System.Threading.Tasks.Parallel.ForEachAsync(
            all.Where(known => input.Names?.Contains(known.Certificate.Name) != false), new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = Cancellation },
            async (known, ct) => declared.Add(await LookAsync(specified, known.Region, known.Certificate, input.ToRotate, ct)));
        var found = declared.ToList();
        foreach (var region in input.Names is not null || input.Except.Count > 0 ? [] : specified.Environment.Regions)
        {
            try
            {
                found.AddRange(await OfOthersAsync(specified, region));
            }
            // Whoever may not see others' certificates can renew ours all the same; a list says what it could not see.
            catch (AdapterException) when (input.ToRotate)
            {
            }
        }

        CertificateMetrics.Record(ActivityExecutionContext.Current.MetricMeter, found);
        var listed = found.Where(certificate => !input.ToRotate || input.Names is not null || (certificate.Owner is FoundOwner.Ours or FoundOwner.CertManager && (certificate.Due || certificate.Unfinished)))
            .Where(certificate => !input.Except.Contains($"{certificate.Certificate}")).OrderBy(certificate => certificate.NotAfter ?? DateTimeOffset.MinValue).ThenBy(certificate => $"{certificate.Certificate}", StringComparer.Ordinal);
        return new FoundCertificates(
            [.. listed.Take(input.AtMost)], found.Count, found.Count(certificate => certificate.Due || certificate.Unfinished),
            specified.Environment.Regions.SelectMany(region => Authorities(specified, region.Name).Select(authority => ($"{authority.Name}@{region.Name}", authority.PerMinute))).ToDictionary(known => known.Item1, known => known.PerMinute));
    });

    /// <inheritdoc/>
    public Task<CertificateSight> ObserveCertificateAsync(ObserveCertificateInput input) => ActivityFailures.MappedAsync(() => Heartbeats.WhileAsync(async () =>
    {
        var (certificate, rotated) = Open(input.Certificate);
        return new CertificateSight(await rotated.ObserveAsync(time, Cancellation), certificate.Settle);
    }));

    /// <inheritdoc/>
    public Task<CertificateStepResult> CertificateStepAsync(CertificateStepInput input) => ActivityFailures.MappedAsync(() => Heartbeats.WhileAsync(async () =>
        new CertificateStepResult(await Open(input.Certificate).Rotated.CarryOutAsync(input, Cancellation))));

    /// <inheritdoc/>
    public Task<AuthoritySight> ObserveAuthorityAsync(ObserveAuthorityInput input) => ActivityFailures.MappedAsync(() => Heartbeats.WhileAsync(async () =>
    {
        var (authority, rotated) = Open(input.Authority);
        return new AuthoritySight(await rotated.ObserveAsync(input.Rotation, time, Cancellation), authority.Settle);
    }));

    /// <inheritdoc/>
    public Task<CertificateStepResult> AuthorityStepAsync(AuthorityStepInput input) => ActivityFailures.MappedAsync(() => Heartbeats.WhileAsync(async () =>
        new CertificateStepResult(await Open(input.Authority).Rotated.CarryOutAsync(input, Cancellation))));

    /// <inheritdoc/>
    public void Dispose() => regions.Dispose();

    private async Task<FoundCertificate> LookAsync(SpecifiedEnvironment specified, RegionSpecification region, CertificateDefinition certificate, bool toRotate, CancellationToken ct)
    {
        var environment = specified.Environment.Name;
        var secrets = new TlsSecrets(regions.Cluster(region));
        var secret = await secrets.FindAsync(certificate.Namespace, certificate.Secret, ct);
        using var leaf = secret?.Certificate is { } pem ? ReadLeaf.Of(pem) : null;
        var reference = new CertificateReference(environment, region.Name, certificate.Name);
        var where = $"Secret {certificate.Namespace}/{certificate.Secret}";
        if (secret?.CertManager == true || await secrets.IsOfCertManagerAsync(certificate.Namespace, certificate.Secret, ct))
            return new(reference, "", where, FoundOwner.CertManager, leaf?.NotAfter, null, Due: false, Unfinished: leaf is not null && await IsKeptAsync(specified, region, certificate, leaf, secret?.Key, toRotate, ct));
        var due = leaf is null ? (DateTimeOffset?)null : RenewalPolicy.DueAt($"{environment}/{reference}", leaf.NotBefore, leaf.NotAfter, certificate.RenewAt);
        return new(
            reference, $"{certificate.Authority}@{region.Name}", where, FoundOwner.Ours, leaf?.NotAfter, due,
            due is null || due <= time.GetUtcNow(), secret is { Rotation.Length: > 0, Replaced.Count: > 0 });
    }

    /// <summary>Whether a pod of ours goes on with another certificate than the Secret holds.</summary>
    private async Task<bool> IsKeptAsync(SpecifiedEnvironment specified, RegionSpecification region, CertificateDefinition certificate, ReadLeaf leaf, SecretText? key, bool toRotate, CancellationToken ct)
    {
        if (certificate.Port is null)
            return false;
        try
        {
            using var identity = leaf.WithKey(key);
            var consumers = await new CertificateConsumers(regions.Cluster(region)).FindAsync(certificate, leaf.Fingerprint, identity, specified.Labels, ct);
            return consumers.Any(consumer => consumer.Declared && consumer.Pods.Any(pod => pod.Fingerprint is { } served && served != leaf.Fingerprint));
        }
        // As for what others renew.
        catch (AdapterException) when (toRotate)
        {
            return false;
        }
    }

    /// <summary>What others renew, and we only tell of.</summary>
    private async Task<IReadOnlyList<FoundCertificate>> OfOthersAsync(SpecifiedEnvironment specified, RegionSpecification region)
    {
        var inventory = new CertificateInventory(specified.Environment.Name, regions.Cluster(region));
        var found = new List<FoundCertificate>();
        found.AddRange(await inventory.OfCertManagerAsync(Declared(specified, region.Name), Cancellation));
        found.AddRange(await inventory.OfWebhooksAsync(Cancellation));
        var declared = specified.InDependencyOrder(region.Name).Select(component => ManifestRenderer.Render(specified.Environment, component, region.Name)).ToList();
        foreach (var component in declared)
            found.AddRange(await inventory.OfDatabasesAsync(component, () => regions.Aws(region.Name), time.GetUtcNow(), Cancellation));
        found.AddRange(await inventory.OfEndpointsAsync(
            [.. declared.SelectMany(component => component)], specified.Rotations(region.Name).Select(known => known.Rotation.Target).OfType<ServiceTarget>().Select(target => target.Service), regions.External(region.Name), time.GetUtcNow(), Cancellation));
        foreach (var authority in Authorities(specified, region.Name))
            found.AddRange(await inventory.OfVaultAsync(authority, new(Vault(specified, region), authority.Mount), Cancellation));
        return found;
    }

    private (CertificateDefinition Certificate, RotatedCertificate Rotated) Open(CertificateReference reference)
    {
        var specified = SpecifiedEnvironment.Read(sources, reference.Environment);
        var region = specified.Region(reference.Region);
        var declared = Declared(specified, region.Name);
        if (declared.FirstOrDefault(known => known.Name == reference.Name) is not { } certificate)
            throw Invalid($"Field 'certificate' is '{reference.Name}', which {reference.Environment} does not have in {region.Name}. Possible: {string.Join(", ", declared.Select(known => known.Name).DefaultIfEmpty("none"))}.");
        var authority = Authorities(specified, region.Name).FirstOrDefault(known => known.Name == certificate.Authority)
            ?? throw Invalid($"Certificate {certificate.Name} is signed by {certificate.Authority}, which no component of {reference.Environment} in {region.Name} declares. Enable the component that does.");
        return (certificate, new(certificate, new(Vault(specified, region), authority.Mount), regions.Cluster(region), specified.Labels));
    }

    private (AuthorityDefinition Authority, RotatedAuthority Rotated) Open(AuthorityReference reference)
    {
        var specified = SpecifiedEnvironment.Read(sources, reference.Environment);
        var region = specified.Region(reference.Region);
        var declared = Authorities(specified, region.Name);
        if (declared.FirstOrDefault(known => known.Name == reference.Name) is not { } authority)
            throw Invalid($"Field 'authority' is '{reference.Name}', which {reference.Environment} does not have in {region.Name}. Possible: {string.Join(", ", declared.Select(known => known.Name).DefaultIfEmpty("none"))}.");
        var signed = Declared(specified, region.Name).Where(certificate => certificate.Authority == authority.Name).ToList();
        return (authority, new(authority, signed, new(Vault(specified, region), authority.Mount), regions.Cluster(region), specified.Labels));
    }

    private static IReadOnlyList<CertificateDefinition> Declared(SpecifiedEnvironment specified, string region) => [.. specified.InDependencyOrder(region).SelectMany(component => ManifestRenderer.Certificates(specified.Environment, component, region))];

    private static IReadOnlyList<AuthorityDefinition> Authorities(SpecifiedEnvironment specified, string region) => [.. specified.InDependencyOrder(region).SelectMany(component => component.CertificateAuthorities)];

    private VaultConnection Vault(SpecifiedEnvironment specified, RegionSpecification region) =>
        specified.InDependencyOrder(region.Name).SelectMany(component => component.Health).OfType<VaultGate>().FirstOrDefault() is { } gate
            ? regions.Vault(region.Name, gate).Connection
            : throw Invalid($"Environment {specified.Environment.Name} has no Vault in {region.Name}: it signs certificates. Enable the component vault.");

    private static ApplicationFailureException Invalid(string message) => new(message, FailureTypes.InvalidInput, nonRetryable: true);
}
