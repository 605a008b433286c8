using PlatformOps.Platform.Certificates;

namespace PlatformOps.Workflows.Certificates;

/// <summary>Which certificate of which region.</summary>
/// <param name="Name">Its name in the catalog.</param>
public sealed record CertificateReference(string Environment, string Region, string Name)
{
    public override string ToString() => $"{Name}@{Region}";
}

/// <param name="Names">Null: all of the environment.</param>
/// <param name="ToRotate">Only those of ours that are due, unfinished or named; otherwise also what others own.</param>
/// <param name="Except">Left out, as <c>name@region</c>.</param>
/// <param name="AtMost">How many are listed: those that end first.</param>
public sealed record FindCertificatesInput(string Environment, IReadOnlyList<string>? Names, bool ToRotate, IReadOnlyList<string> Except, int AtMost);

/// <summary>The certificates of an environment.</summary>
/// <param name="Certificates">Those that end first.</param>
/// <param name="Total">How many there are, also those that are not listed.</param>
/// <param name="Due">How many of ours are due.</param>
/// <param name="PerMinute">By authority and region (<c>name@region</c>): how many certificates it may be asked for in any minute.</param>
public sealed record FoundCertificates(IReadOnlyList<FoundCertificate> Certificates, int Total, int Due, IReadOnlyDictionary<string, int> PerMinute);

/// <summary>Who renews a certificate that was found.</summary>
public enum FoundOwner
{
    /// <summary>We do: the catalog declares it.</summary>
    Ours,

    /// <summary>cert-manager does.</summary>
    CertManager,

    /// <summary>It is a certificate authority of Vault's.</summary>
    Vault,

    /// <summary>Somebody else does.</summary>
    External,
}

/// <param name="Authority">Who signs it, as <c>name@region</c>; empty where we do not ask for it.</param>
/// <param name="Where"><c>Secret namespace/name</c>, the issuer in Vault, or the object that holds it.</param>
/// <param name="NotAfter">Until when it is valid; null: there is none yet, or it cannot be read.</param>
/// <param name="DueAt">When it is renewed; null: at once, or that is somebody else's business.</param>
/// <param name="Due">Whether that is now.</param>
/// <param name="Unfinished">Whether an earlier rotation left something to do, or a pod goes on with what cert-manager has replaced.</param>
public sealed record FoundCertificate(
    CertificateReference Certificate, string Authority, string Where, FoundOwner Owner, DateTimeOffset? NotAfter, DateTimeOffset? DueAt, bool Due, bool Unfinished)
{
    /// <summary>What a person does next about it; null: nothing.</summary>
    public string? Next { get; init; }

    /// <summary>What is wrong with it now; null: nothing, or nobody looks for it.</summary>
    public CertificateProblem? Problem { get; init; }

    /// <summary>When that was looked for; null: it was not.</summary>
    public DateTimeOffset? LookedAt { get; init; }
}

public sealed record ObserveCertificateInput(CertificateReference Certificate);

/// <param name="Seen">As it was found.</param>
/// <param name="Settle">What the catalog says.</param>
public sealed record CertificateSight(ObservedCertificate Seen, TimeSpan Settle);

/// <summary>One step of a rotation.</summary>
/// <param name="Rotation">Marks the certificates that it makes.</param>
/// <param name="Fingerprint">The current certificate that was decided on, empty for none; another one by now: nothing is done.</param>
/// <param name="Consumers">For <see cref="CertificateStep.Refresh"/>: whom to restart.</param>
public sealed record CertificateStepInput(CertificateReference Certificate, CertificateStep Step, string Rotation, string Fingerprint, IReadOnlyList<string> Consumers);

/// <param name="Detail">What was done, as a sentence.</param>
public sealed record CertificateStepResult(string Detail);

/// <summary>Which certificate authority of which region.</summary>
/// <param name="Name">Its name in the catalog.</param>
public sealed record AuthorityReference(string Environment, string Region, string Name)
{
    public override string ToString() => $"{Name}@{Region}";
}

/// <param name="Rotation">Whose new root is meant.</param>
public sealed record ObserveAuthorityInput(AuthorityReference Authority, string Rotation);

/// <param name="Seen">As it was found.</param>
/// <param name="Settle">What the catalog says.</param>
public sealed record AuthoritySight(ObservedAuthority Seen, TimeSpan Settle);

/// <summary>One step of an authority's rotation.</summary>
/// <param name="Rotation">Part of the name of the root that it makes.</param>
/// <param name="About">For <see cref="AuthorityStep.Refresh"/>: whom to restart, as <c>namespace/Kind/name</c>.</param>
public sealed record AuthorityStepInput(AuthorityReference Authority, AuthorityStep Step, string Rotation, string? About);

/// <summary>What a certificate that waits for its turn tells its parent.</summary>
public sealed record ReadyToIssue(CertificateReference Certificate);
