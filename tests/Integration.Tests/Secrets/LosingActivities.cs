using System.Collections.Concurrent;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>Loses every kind of step of each rotation twice, before its effect and after it, and then carries it out five times in a row.</summary>
/// <param name="only">These kinds, and only after their effect; null: all.</param>
internal sealed class LosingActivities(ISecretActivities inner, IReadOnlyList<RotationStep>? only = null) : ISecretActivities
{
    private readonly ConcurrentDictionary<(RotationStep Step, string Rotation), int> times = [];

    /// <summary>The steps that were met.</summary>
    public ICollection<RotationStep> Steps => [.. times.Keys.Select(met => met.Step).Distinct()];

    public Task<FoundSecrets> FindSecretsAsync(FindSecretsInput input) => inner.FindSecretsAsync(input);

    public Task<SecretSight> ObserveSecretAsync(ObserveSecretInput input) => inner.ObserveSecretAsync(input);

    public Task<LeakPlan> FindLeakAsync(FindLeakInput input) => inner.FindLeakAsync(input);

    public Task<RestartedConsumer> RestartConsumerAsync(RestartConsumerInput input) => inner.RestartConsumerAsync(input);

    public async Task<SecretStepResult> RotateStepAsync(SecretStepInput input)
    {
        if (only?.Contains(input.Step) == false)
            return await inner.RotateStepAsync(input);
        var time = times.AddOrUpdate((input.Step, input.Rotation), only is null ? 1 : 2, (_, before) => before + 1);
        if (time == 1)
            throw Lost();
        var result = await inner.RotateStepAsync(input);
        if (time == 2)
            throw Lost();
        for (var again = 0; again < 4; again++)
        {
            try
            {
                await inner.RotateStepAsync(input);
            }
            catch (ApplicationFailureException moved) when (moved.ErrorType == FailureTypes.FactsChanged)
            {
                // It is done, and is not done again.
            }
        }

        return result;
    }

    private static ApplicationFailureException Lost() => new("The worker is gone.", FailureTypes.Unavailable);
}
