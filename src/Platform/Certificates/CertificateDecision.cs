namespace PlatformOps.Platform.Certificates;

/// <summary>What is done next in the rotation of a certificate.</summary>
public enum CertificateStep
{
    /// <summary>Look again later: something could not be found out, or is on its way.</summary>
    Wait,

    /// <summary>Somebody has to change something first.</summary>
    Stop,

    /// <summary>Make a key, have a certificate signed for it, and write both into the Kubernetes Secret.</summary>
    Issue,

    /// <summary>Restart a consumer, so that it takes the current certificate up.</summary>
    Refresh,

    /// <summary>The proof holds; it has to hold longer.</summary>
    Settle,

    /// <summary>Revoke the certificates of before. There is no way back.</summary>
    Revoke,

    /// <summary>Everything is done.</summary>
    Finish,
}

/// <summary>What is done next, and why.</summary>
/// <param name="Why">One sentence for an operator.</param>
/// <param name="Consumers">Those that it is about, by name.</param>
public sealed record CertificateDecision(CertificateStep Step, string Why, IReadOnlyList<string> Consumers)
{
    public CertificateDecision(CertificateStep step, string why) : this(step, why, [])
    {
    }
}
