using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>What <c>RotateCertificate</c> is asked for, checked and with its defaults filled in.</summary>
/// <param name="Settle">Null: what the catalog says.</param>
internal sealed record CertificateRequest(string Environment, string Certificate, string Region, string OperationId, TimeSpan? Settle, TimeSpan ProveWithin, TimeSpan ParkedAtMost)
{
    public CertificateReference Reference => new(Environment, Region, Certificate);

    /// <summary>Before the input has been checked: what controls and queries may meet.</summary>
    public static CertificateRequest Unchecked(RotateCertificateInput? input) => new(input?.Environment ?? "", input?.Certificate ?? "", input?.Region ?? "", "", null, TimeSpan.Zero, TimeSpan.Zero);

    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException">A field is wrong; the message names it.</exception>
    public static CertificateRequest Check(Input<RotateCertificateInput>? input)
    {
        var given = RequestFields.Given(input);
        var environment = RequestFields.Environment(given.Environment);
        ControlFields.Require("certificate", given.Certificate, "the certificate's name in the catalog");
        ControlFields.Require("region", given.Region, "the region whose certificate is meant");
        return new(
            environment, given.Certificate!, given.Region!, RequestFields.OperationId(given.OperationId, "rotate", $"{given.Certificate}-{given.Region}", Workflow.Info.FirstExecutionRunId),
            SettleOf(given.Settle), ProveWithinOf(given.ProveWithin), RequestFields.ParkedAtMost(given.ParkedAtMost));
    }

    public static TimeSpan? SettleOf(string? given) => RequestFields.Duration("settle", given, TimeSpan.FromDays(7));

    public static TimeSpan ProveWithinOf(string? given) => RequestFields.Duration("proveWithin", given, TimeSpan.FromHours(24)) ?? TimeSpan.FromHours(1);
}
