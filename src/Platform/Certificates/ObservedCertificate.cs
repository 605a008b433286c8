namespace PlatformOps.Platform.Certificates;

/// <summary>Who renews a certificate.</summary>
public enum CertificateOwner
{
    /// <summary>We do.</summary>
    Ours,

    /// <summary>cert-manager does: it is never written by us, only proved and reported.</summary>
    CertManager,
}

/// <summary>What Vault says of a certificate.</summary>
public enum LeafStanding
{
    /// <summary>It could not be asked.</summary>
    Unknown,

    /// <summary>Vault has signed it, and has not revoked it.</summary>
    Valid,

    Revoked,

    /// <summary>Vault has never signed it, or has forgotten it.</summary>
    Foreign,
}

/// <summary>A leaf certificate, without its key.</summary>
/// <param name="Fingerprint">SHA-256 in lower-case hexadecimal digits: what handshakes are compared by.</param>
/// <param name="Serial">As Vault writes it: <c>1b:2c:...</c>.</param>
/// <param name="Rotation">The rotation that made it; empty: nobody's of ours.</param>
public sealed record LeafCertificate(
    string Fingerprint, string Serial, string Rotation, DateTimeOffset NotBefore, DateTimeOffset NotAfter, IReadOnlyList<string> DnsNames, LeafStanding Standing);

/// <summary>A certificate that was replaced and is not known to be revoked.</summary>
/// <param name="Serial">As Vault writes it.</param>
public sealed record ReplacedLeaf(string Serial, LeafStanding Standing);

/// <summary>What one pod serves.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Fingerprint">Of the leaf that it served in a handshake; null: there was none.</param>
/// <param name="Detail">Where it was asked, and what came of it, as a sentence.</param>
public sealed record ServingPod(string Name, string? Fingerprint, string Detail);

/// <summary>How far a workload is with a restart.</summary>
public enum RestartStanding
{
    /// <summary>It was not restarted for the current certificate.</summary>
    Old,

    /// <summary>It is on its way.</summary>
    Changing,

    /// <summary>It does not come up.</summary>
    Failed,

    /// <summary>All of its pods started with the current certificate.</summary>
    Restarted,

    /// <summary>It takes a changed Secret up by itself.</summary>
    Reloads,
}

/// <summary>Who uses a certificate.</summary>
/// <param name="Name"><c>Kind/name</c> of the workload, or of a pod that belongs to none.</param>
/// <param name="Declared">Whether it is ours. Others are not restarted, and stop a rotation before anything is issued.</param>
/// <param name="Detail">How it stands, as a sentence.</param>
/// <param name="Pods">Those that run now, with what each serves; none for consumers that serve nothing.</param>
public sealed record CertificateConsumer(string Name, bool Declared, RestartStanding Standing, string Detail, IReadOnlyList<ServingPod> Pods);

/// <summary>A certificate as it was found in the world: in the Kubernetes Secret, in Vault, at every pod.</summary>
/// <param name="Current">What the Secret holds; null: there is no Secret, or no certificate in it that can be read.</param>
/// <param name="Trouble">What is wrong with it whoever made it (its key is another one's, a name is missing); null: nothing.</param>
/// <param name="Replaced">Those of before that may still have to be revoked.</param>
/// <param name="Served">Whether pods are asked in handshakes: the catalog says where they speak TLS.</param>
public sealed record ObservedCertificate(
    CertificateOwner Owner,
    LeafCertificate? Current,
    string? Trouble,
    IReadOnlyList<ReplacedLeaf> Replaced,
    bool Served,
    IReadOnlyList<CertificateConsumer> Consumers,
    DateTimeOffset SeenAt);
