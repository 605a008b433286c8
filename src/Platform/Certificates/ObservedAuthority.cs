namespace PlatformOps.Platform.Certificates;

/// <summary>Where a root stands in its life. SPIRE's words.</summary>
public enum AuthorityState
{
    /// <summary>It is made and signs nothing yet.</summary>
    Prepared,

    /// <summary>It signs.</summary>
    Active,

    /// <summary>It signs no more, and is trusted still: what it signed is in use.</summary>
    Old,

    /// <summary>It is trusted nowhere any more.</summary>
    Tainted,

    /// <summary>Vault has revoked it.</summary>
    Revoked,
}

/// <summary>A root of an authority's engine.</summary>
/// <param name="Id">Vault's.</param>
/// <param name="Fingerprint">SHA-256.</param>
/// <param name="Signs">Whether it is the default issuer, who signs for roles.</param>
public sealed record AuthorityIssuer(string Id, string Name, string Fingerprint, DateTimeOffset NotAfter, bool Signs, bool Revoked);

/// <summary>Something that says whom to trust: a Kubernetes Secret, or a webhook configuration.</summary>
/// <param name="Trusts">Fingerprints of the roots in it.</param>
public sealed record TrustPlace(string Name, IReadOnlyList<string> Trusts);

/// <summary>Whom one pod trusts, as it answered who showed it a certificate of each.</summary>
/// <param name="AcceptsNew">Null: it could not be found out.</param>
/// <param name="AcceptsOld">Null: it could not be found out.</param>
public sealed record TrustingPod(string Name, bool? AcceptsNew, bool? AcceptsOld, string Detail);

/// <summary>Who trusts an authority.</summary>
/// <param name="Name"><c>namespace/Kind/name</c>.</param>
/// <param name="Declared">Whether it is ours. Others are not restarted, and stop a rotation.</param>
/// <param name="Standing">How far it is with a restart for what its Secret says now.</param>
/// <param name="Asked">Whether its pods want to see certificates of who asks, so that they can be asked whom they trust; otherwise its restart has to do as proof.</param>
public sealed record TrustingConsumer(string Name, bool Declared, RestartStanding Standing, string Detail, bool Asked, IReadOnlyList<TrustingPod> Pods);

/// <summary>A certificate of the authority.</summary>
/// <param name="Signer">Fingerprint of the root that it leads to; null: of none of them.</param>
/// <param name="Unserved">Pods that do not serve what its Secret holds, as <c>name: why</c>.</param>
/// <param name="Unfinished">Whether its own rotation has left something to do.</param>
/// <param name="Broken">Whether some of them serve nothing at all, or do not come up: what others may still reach is less than before.</param>
public sealed record SignedLeaf(string Name, string? Signer, IReadOnlyList<string> Unserved, bool Unfinished, bool Broken);

/// <summary>Certificates of both roots, validated as clients do it against everything that says whom to trust: chain, time, and what certificates say of each other. Each list names those that are not believed, as
/// sentences; empty: all are.</summary>
/// <param name="Together">Certificates of both roots, in use or made to try it, by what is named now.</param>
/// <param name="NewAlone">Those in use and one of the new root, by what is named once the old root is dropped.</param>
/// <param name="OldAlone">Those in use and one of the old root, by what is named once everything has gone back.</param>
public sealed record CrossValidation(IReadOnlyList<string> Together, IReadOnlyList<string> NewAlone, IReadOnlyList<string> OldAlone);

/// <summary>An authority as it was found: in Vault, in everything that says whom to trust, at every pod.</summary>
/// <param name="Trouble">Why it cannot be rotated whatever its state is; null: nothing.</param>
public sealed record ObservedAuthority(
    IReadOnlyList<AuthorityIssuer> Issuers, IReadOnlyList<TrustPlace> Places, IReadOnlyList<TrustingConsumer> Consumers, IReadOnlyList<SignedLeaf> Leaves, string? Trouble, DateTimeOffset SeenAt)
{
    /// <summary>Null: there are not two roots.</summary>
    public CrossValidation? Validation { get; init; }
}
