using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>A <see cref="ProvisionEnvironmentInput"/> that has been checked, with its defaults filled in.</summary>
internal sealed record ProvisioningRequest(
    string Environment, string OperationId, TimeSpan ParkedAtMost, RunbookMode Mode, IReadOnlyList<string>? Components, TimeSpan HealthyWithin)
    : RunbookRequest(Environment, OperationId, ParkedAtMost)
{
    /// <summary>What is asked for.</summary>
    /// <param name="firstRunId">Gives the operation id when none was given; survives a reset of the workflow.</param>
    /// <exception cref="ApplicationFailureException">A field is missing or wrong; the message names it.</exception>
    public static ProvisioningRequest From(Input<ProvisionEnvironmentInput>? input, string firstRunId)
    {
        var fields = RequestFields.Given(input);
        var environment = RequestFields.Environment(fields.Environment);
        return new(
            environment,
            RequestFields.OperationId(fields.OperationId, "provision", environment, firstRunId),
            RequestFields.ParkedAtMost(fields.ParkedAtMost),
            fields.Mode,
            RequestFields.Components(fields.Components),
            RequestFields.HealthyWithin(fields.HealthyWithin));
    }
}
