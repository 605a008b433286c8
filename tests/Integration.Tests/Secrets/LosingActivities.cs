using System.Collections.Concurrent;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>Loses every kind of step of each rotation, and the restart of every kind of consumer, twice, before its effect and after it, and then carries it out five times in a row.</summary>
/// <param name="only">These kinds, and only after their effect; null: all.</param>
internal sealed class LosingActivities(ISecretActivities inner, IReadOnlyList<RotationStep>? only = null) : ISecretActivities
{
    private readonly ConcurrentDictionary<(RotationStep Step, string Kind, string Rotation), int> times = [];

    /// <summary>The steps that were met.</summary>
    public ICollection<RotationStep> Steps => [.. times.Keys.Select(met => met.Step).Distinct()];

    public Task<FoundSecrets> FindSecretsAsync(FindSecretsInput input) => inner.FindSecretsAsync(input);

    public Task<SecretSight> ObserveSecretAsync(ObserveSecretInput input) => inner.ObserveSecretAsync(input);

    public Task<LeakPlan> FindLeakAsync(FindLeakInput input) => inner.FindLeakAsync(input);

    /// <summary>The kinds of consumers that were restarted, or asked.</summary>
    public ICollection<string> Kinds => [.. times.Keys.Where(met => met.Step == RotationStep.Refresh).Select(met => met.Kind).Distinct()];

    public Task<RestartedConsumer> RestartConsumerAsync(RestartConsumerInput input) =>
        LosingAsync(RotationStep.Refresh, input.Consumer, string.Join(' ', input.Versions), () => inner.RestartConsumerAsync(input));

    public Task<SecretStepResult> RotateStepAsync(SecretStepInput input) => LosingAsync(input.Step, input.Consumers is [var first, ..] ? first : "", input.Rotation, () => inner.RotateStepAsync(input));

    private async Task<T> LosingAsync<T>(RotationStep step, string consumer, string rotation, Func<Task<T>> carryOut)
    {
        if (only?.Contains(step) == false)
            return await carryOut();
        var time = times.AddOrUpdate((step, consumer.Split('/')[0], rotation), only is null ? 1 : 2, (_, before) => before + 1);
        if (time == 1)
            throw Lost();
        var result = await carryOut();
        if (time == 2)
            throw Lost();
        for (var again = 0; again < 4; again++)
        {
            try
            {
                await carryOut();
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
