using PlatformOps.Platform.Secrets;
using Temporalio.Activities;

namespace PlatformOps.Workflows.Secrets;

/// <summary>What rotations ask of the outside. No value of a secret is in what they take or answer.</summary>
public interface ISecretActivities
{
    /// <summary>The secrets of an environment that are rotated, and which are due.</summary>
    [Activity]
    Task<FoundSecrets> FindSecretsAsync(FindSecretsInput input);

    /// <summary>Looks at Vault, at the system that the credential is for, and at the consumers. Changes nothing; what cannot be found out is unknown in the answer.</summary>
    [Activity]
    Task<SecretSight> ObserveSecretAsync(ObserveSecretInput input);

    /// <summary>Carries one step out. Whatever was done of it before is not done again.</summary>
    [Activity]
    Task<SecretStepResult> RotateStepAsync(SecretStepInput input);

    /// <summary>What whoever has a path or an identity can get at. Changes nothing.</summary>
    [Activity]
    Task<LeakPlan> FindLeakAsync(FindLeakInput input);

    /// <summary>Restarts a consumer for several secrets. For versions that it was restarted for already nothing happens.</summary>
    [Activity]
    Task<RestartedConsumer> RestartConsumerAsync(RestartConsumerInput input);
}
