using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Workflows.Certificates;

/// <summary>Input of <c>RotateCertificate</c> (workflow id <c>certificates/{environment}/{certificate}@{region}</c>).</summary>
public sealed record RotateCertificateInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The certificate's name in the catalog.</summary>
    public string? Certificate { get; init; }

    /// <summary>Required. The region whose certificate is meant.</summary>
    public string? Region { get; init; }

    /// <summary>What everything that the run makes is marked with. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long the proof has to hold before the old certificate is revoked, for example <c>10m</c>. Default: what the catalog says.</summary>
    public string? Settle { get; init; }

    /// <summary>How long pods may take to be proved before the run parks. Default 1h, at most 24h.</summary>
    public string? ProveWithin { get; init; }

    /// <summary>How long a parked run waits for an operator before it ends. Default 24h.</summary>
    public string? ParkedAtMost { get; init; }

    /// <summary>Set by <c>RotateCertificates</c> only: it says when the authority may be asked.</summary>
    public bool IssuedInTurn { get; init; }
}

/// <summary>Result of <c>RotateCertificate</c>.</summary>
public sealed record RotateCertificateReport
{
    public required string Environment { get; init; }

    public required string Certificate { get; init; }

    public required string Region { get; init; }

    public required string OperationId { get; init; }

    public required CertificateOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>SHA-256 of the certificate that is served now; null: there is none.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Until when that is valid.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>Everybody who uses it, with what each pod was last seen to serve.</summary>
    public required IReadOnlyList<CertificateConsumer> Consumers { get; init; }

    /// <summary>Consumers that an operator answered for, with the reason.</summary>
    public required IReadOnlyDictionary<string, string> Excused { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum CertificateOutcome
{
    /// <summary>Every pod serves the new certificate; no older one is valid.</summary>
    Rotated,

    /// <summary>cert-manager owns it: it was not written, who had kept the one of before was restarted, and every pod was seen to serve the current one.</summary>
    Proved,

    /// <summary>Aborted: no certificate was revoked.</summary>
    Aborted,
}

/// <summary>Input of <c>RotateCertificates</c> (workflow id <c>certificates/{environment}</c>).</summary>
public sealed record RotateCertificatesInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Names of certificates. Default: all that are due.</summary>
    public IReadOnlyList<string>? Certificates { get; init; }

    /// <summary><c>plan</c> only says what there is and what is due.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>What everything that the run makes is marked with. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>As for <c>RotateCertificate</c>.</summary>
    public string? Settle { get; init; }

    /// <summary>As for <c>RotateCertificate</c>.</summary>
    public string? ProveWithin { get; init; }

    /// <summary>As for <c>RotateCertificate</c>.</summary>
    public string? ParkedAtMost { get; init; }

    /// <summary>Set when it continues as new only: what was done before.</summary>
    public RotatedBefore? Before { get; init; }
}

/// <summary>What earlier parts of a run have done.</summary>
/// <param name="Done">Every certificate that was taken, as <c>name@region</c>.</param>
/// <param name="Asked">When authorities were asked within the last minute.</param>
public sealed record RotatedBefore(
    IReadOnlyList<string> Done, int Rotated, IReadOnlyList<CertificateResult> Failed, IReadOnlyList<AskedAuthority> Asked, DateTimeOffset StartedAt);

/// <param name="Authority"><c>name@region</c>.</param>
public sealed record AskedAuthority(string Authority, DateTimeOffset At);

/// <summary>Result of <c>RotateCertificates</c>.</summary>
public sealed record RotateCertificatesReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required RotateCertificatesOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>With mode <c>plan</c>: what there is, those that end first, at most 300; otherwise empty.</summary>
    public required IReadOnlyList<FoundCertificate> Found { get; init; }

    /// <summary>How many there are, also those that are not listed.</summary>
    public required int Total { get; init; }

    /// <summary>How many were rotated, or proved where cert-manager owns them.</summary>
    public required int Rotated { get; init; }

    /// <summary>What became of those that were not.</summary>
    public required IReadOnlyList<CertificateResult> Failed { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <param name="Outcome">Null: it did not end well.</param>
/// <param name="Summary">One sentence.</param>
public sealed record CertificateResult(CertificateReference Certificate, CertificateOutcome? Outcome, string Summary);

public enum RotateCertificatesOutcome
{
    /// <summary>Nothing was changed: only the plan was asked for.</summary>
    Planned,

    /// <summary>Nothing was due.</summary>
    NothingDue,

    /// <summary>All of them.</summary>
    Rotated,

    /// <summary>Not all of them; each says why.</summary>
    Incomplete,
}
