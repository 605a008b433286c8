using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>Input of <c>RotateCertificateAuthority</c> (workflow id <c>certificates/{environment}/authority/{authority}@{region}</c>).</summary>
public sealed record RotateCertificateAuthorityInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The authority's name in the catalog.</summary>
    public string? Authority { get; init; }

    /// <summary>Required. The region whose authority is meant.</summary>
    public string? Region { get; init; }

    /// <summary>Part of the name of the root that the run makes. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long every pod has to be seen to serve certificates of the new root before the old one is dropped. Default: what the catalog says.</summary>
    public string? Settle { get; init; }

    /// <summary>How long pods may take to be proved before the run parks, or goes back when they serve nothing. Default 1h, at most 24h.</summary>
    public string? ProveWithin { get; init; }

    /// <summary>How long a parked run waits for an operator before it ends. Default 24h.</summary>
    public string? ParkedAtMost { get; init; }
}

/// <summary>Result of <c>RotateCertificateAuthority</c>.</summary>
public sealed record RotateCertificateAuthorityReport
{
    public required string Environment { get; init; }

    public required string Authority { get; init; }

    public required string Region { get; init; }

    public required string OperationId { get; init; }

    public required AuthorityOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>The roots of the engine, with where each stands.</summary>
    public required IReadOnlyList<AuthorityStanding> Roots { get; init; }

    /// <summary>Everybody who trusts it, with what each pod answered.</summary>
    public required IReadOnlyList<TrustingConsumer> Consumers { get; init; }

    /// <summary>Consumers that an operator answered for, with the reason.</summary>
    public required IReadOnlyDictionary<string, string> Excused { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <param name="Name">In Vault.</param>
/// <param name="Fingerprint">SHA-256.</param>
public sealed record AuthorityStanding(string Name, string Fingerprint, AuthorityState State, DateTimeOffset NotAfter);

public enum AuthorityOutcome
{
    /// <summary>The new root signs, every pod was proved to trust it and to refuse the old one, which is revoked.</summary>
    Rotated,

    /// <summary>Everything is as before: the old root signs, and the new one is deleted.</summary>
    Returned,
}

/// <summary>What <c>RotateCertificateAuthority</c> is asked for, checked and with its defaults filled in.</summary>
/// <param name="Settle">Null: what the catalog says.</param>
internal sealed record AuthorityRequest(string Environment, string Authority, string Region, string OperationId, TimeSpan? Settle, TimeSpan ProveWithin, TimeSpan ParkedAtMost)
{
    public AuthorityReference Reference => new(Environment, Region, Authority);

    /// <summary>Before the input has been checked: what controls and queries may meet.</summary>
    public static AuthorityRequest Unchecked(RotateCertificateAuthorityInput? input) => new(input?.Environment ?? "", input?.Authority ?? "", input?.Region ?? "", "", null, TimeSpan.Zero, TimeSpan.Zero);

    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException">A field is wrong; the message names it.</exception>
    public static AuthorityRequest Check(Input<RotateCertificateAuthorityInput>? input)
    {
        var given = RequestFields.Given(input);
        var environment = RequestFields.Environment(given.Environment);
        ControlFields.Require("authority", given.Authority, "the authority's name in the catalog");
        ControlFields.Require("region", given.Region, "the region whose authority is meant");
        return new(
            environment, given.Authority!, given.Region!, RequestFields.OperationId(given.OperationId, "ca", given.Authority!, Workflow.Info.FirstExecutionRunId),
            CertificateRequest.SettleOf(given.Settle), CertificateRequest.ProveWithinOf(given.ProveWithin), RequestFields.ParkedAtMost(given.ParkedAtMost));
    }
}
