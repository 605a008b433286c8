namespace PlatformOps.Platform.Certificates;

/// <summary>What is wrong now with a certificate that neither we nor cert-manager renew: clients refuse it, or will when they start anew.</summary>
public enum CertificateProblem
{
    /// <summary>The server made no handshake.</summary>
    NoHandshake,

    /// <summary>What it serves has ended.</summary>
    Expired,

    /// <summary>What it serves is for another name.</summary>
    WrongName,

    /// <summary>What it serves does not lead to an authority that clients trust.</summary>
    Untrusted,

    /// <summary>The authority that has signed it is not among those that clients are told to trust.</summary>
    AuthorityMissing,
}
