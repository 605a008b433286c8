using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Etcd;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>Takes a snapshot of the etcd under a cluster, where the specification says that workers reach it.</summary>
internal sealed class EtcdBackup(EtcdSpecification declared, KubernetesConnection cluster)
{
    private const string Authority = "ca.crt", Certificate = "tls.crt", Key = "tls.key";

    /// <summary>Writes one, compressed and encrypted; no more than a piece of it is in memory.</summary>
    /// <exception cref="AdapterException">There is none: etcd does not answer, refuses, or what came was damaged on its way.</exception>
    public async Task<EtcdSnapshot> MakeAsync(StateArchive archive, Action<string> progress, CancellationToken ct)
    {
        using var member = await OpenAsync(ct);
        var version = await member.VersionAsync(ct);
        var (revision, keys) = await member.CountAsync(0, ct);
        var (bytes, digest) = (0L, "");
        var file = await archive.SealAsync(
            EtcdSnapshot.FileName, async target => (bytes, digest) = await member.SnapshotAsync(target, so => progress($"{so} bytes of the snapshot of etcd are written."), ct), ct);
        return new(version, revision, keys, bytes, digest, file);
    }

    private async Task<EtcdMember> OpenAsync(CancellationToken ct)
    {
        var name = declared.Secret.Split('/');
        var values = await new SecretReader(cluster).FindAsync(name[0], name[1], ct);
        return values is not null && values.TryGetValue(Authority, out var authority) && values.TryGetValue(Certificate, out var certificate) && values.TryGetValue(Key, out var key)
            ? EtcdMember.Open(declared.Endpoint, authority, certificate, key, $"Secret {declared.Secret} of {cluster.Region}")
            : throw new AdapterException(
                AdapterFailureKind.Rejected, $"Secret {declared.Secret} of {cluster.Region}, which regions.{cluster.Region}.etcd names, {(values is null ? "is not there" : $"lacks one of {Authority}, {Certificate}, {Key}")}: make it of a client certificate of etcd.");
    }
}
