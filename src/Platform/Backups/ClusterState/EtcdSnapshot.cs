namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>A snapshot of the etcd under a cluster's API server, as a set holds it beside the objects.</summary>
/// <param name="Version">Of the etcd that made it.</param>
/// <param name="Revision">That of etcd just before: everything up to it is in the snapshot, and perhaps what was written in the moment after.</param>
/// <param name="Keys">How many there were at that revision.</param>
/// <param name="Bytes">Of the file that etcd is restored from.</param>
/// <param name="Digest">SHA-256 over that file without its last 32 bytes, which are this very hash, written by etcd.</param>
/// <param name="File">As it lies in the set, compressed and encrypted.</param>
public sealed record EtcdSnapshot(string Version, long Revision, long Keys, long Bytes, string Digest, FoundPart File)
{
    /// <summary>Of the file in the set; no kind of objects is called so.</summary>
    public const string FileName = "etcd-snapshot";

    /// <inheritdoc/>
    public override string ToString() => $"etcd {Version}, revision {Revision}, {Keys} keys, {Bytes} bytes";

    /// <summary>What is wrong with an etcd that was restored from it; null: nothing.</summary>
    /// <param name="revision">That of the restored one.</param>
    /// <param name="keys">How many it has at <see cref="Revision"/>.</param>
    public string? Trouble(long revision, long keys) =>
        revision < Revision ? $"The restored etcd ends at revision {revision}, before {Revision}, where it was when the snapshot was made: something is missing."
        : keys != Keys ? $"The restored etcd has {keys} keys at revision {Revision} instead of {Keys}."
        : null;
}
