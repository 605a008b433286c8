using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Secrets;

/// <summary>What <c>RotateSecret</c> is asked for, checked and with its defaults filled in.</summary>
/// <param name="Settle">Null: what the catalog says.</param>
/// <param name="NoConsumers">Why it is rotated where nobody is found who uses it; null: it is not.</param>
internal sealed record SecretRequest(string Environment, string Secret, string Region, string OperationId, TimeSpan? Settle, TimeSpan ProveWithin, TimeSpan ParkedAtMost, string? NoConsumers = null)
{
    public SecretReference Reference => new(Environment, Region, Secret);

    /// <summary>Before the input has been checked: what controls and queries may meet.</summary>
    public static SecretRequest Unchecked(RotateSecretInput? input) => new(input?.Environment ?? "", input?.Secret ?? "", input?.Region ?? "", "", null, TimeSpan.Zero, TimeSpan.Zero);

    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException">A field is wrong; the message names it.</exception>
    public static SecretRequest Check(Input<RotateSecretInput>? input)
    {
        var given = RequestFields.Given(input);
        var environment = RequestFields.Environment(given.Environment);
        ControlFields.Require("secret", given.Secret, "the rotation's name in the catalog");
        ControlFields.Require("region", given.Region, "the region whose secret is meant");
        return new(
            environment, given.Secret!, given.Region!, RequestFields.OperationId(given.OperationId, "rotate", $"{given.Secret}-{given.Region}", Workflow.Info.FirstExecutionRunId),
            SettleOf(given.Settle), ProveWithinOf(given.ProveWithin), RequestFields.ParkedAtMost(given.ParkedAtMost), ReasonOf(given.NoConsumers));
    }

    public static string? ReasonOf(string? given) =>
        given is null || !string.IsNullOrWhiteSpace(given) ? given : throw FailureTypes.Invalid("Field 'noConsumers' is empty: why a secret that nobody is found to use is rotated all the same, for the report.");

    public static TimeSpan? SettleOf(string? given) => RequestFields.Duration("settle", given, TimeSpan.FromDays(7));

    public static TimeSpan ProveWithinOf(string? given) => RequestFields.Duration("proveWithin", given, TimeSpan.FromHours(24)) ?? TimeSpan.FromHours(1);
}
