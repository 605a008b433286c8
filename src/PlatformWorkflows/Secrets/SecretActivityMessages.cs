using PlatformOps.Platform.Secrets;

namespace PlatformOps.Workflows.Secrets;

/// <summary>Which secret of which region.</summary>
/// <param name="Name">The rotation's name in the catalog.</param>
public sealed record SecretReference(string Environment, string Region, string Name)
{
    public override string ToString() => $"{Name}@{Region}";
}

/// <param name="Names">Null: all of the environment.</param>
public sealed record FindSecretsInput(string Environment, IReadOnlyList<string>? Names);

/// <summary>The secrets of an environment that are rotated.</summary>
public sealed record FoundSecrets(IReadOnlyList<FoundSecret> Secrets);

/// <param name="Namespace">Where its consumers are.</param>
/// <param name="KubernetesSecret">From which they have it.</param>
/// <param name="Version">The newest version in Vault; 0: none.</param>
/// <param name="Since">Since when that is so; null: there is none.</param>
/// <param name="Every">How old it becomes before it is due.</param>
/// <param name="Due">Whether it is that old, or was never rotated, at the time of the look.</param>
/// <param name="Unfinished">Whether an earlier rotation left something to do.</param>
public sealed record FoundSecret(SecretReference Secret, string Namespace, string KubernetesSecret, int Version, DateTimeOffset? Since, TimeSpan Every, bool Due, bool Unfinished);

public sealed record ObserveSecretInput(SecretReference Secret);

/// <param name="Seen">As it was found.</param>
/// <param name="Settle">What the catalog says.</param>
/// <param name="Namespace">Where its consumers are.</param>
/// <param name="KubernetesSecret">From which they have it.</param>
public sealed record SecretSight(ObservedSecret Seen, TimeSpan Settle, string Namespace, string KubernetesSecret);

/// <summary>One step of a rotation.</summary>
/// <param name="Rotation">Marks the versions that it makes.</param>
/// <param name="Version">The current version that was decided on; another one by now: nothing is done.</param>
/// <param name="Consumers">For <see cref="RotationStep.Refresh"/>: whom to restart.</param>
public sealed record SecretStepInput(SecretReference Secret, RotationStep Step, string Rotation, int Version, IReadOnlyList<string> Consumers);

/// <param name="Detail">What was done, as a sentence.</param>
public sealed record SecretStepResult(string Detail);

/// <summary>Restarts one consumer for several secrets at once.</summary>
/// <param name="Consumer"><c>Kind/name</c>.</param>
/// <param name="Versions">By Kubernetes Secret.</param>
public sealed record RestartConsumerInput(string Environment, string Region, string Namespace, string Consumer, IReadOnlyDictionary<string, int> Versions);

/// <summary>How a restarted consumer is.</summary>
/// <param name="Ready">Every pod started anew and is ready.</param>
/// <param name="Hopeless">It cannot become so as it is.</param>
/// <param name="Detail">As a sentence.</param>
public sealed record RestartedConsumer(bool Ready, bool Hopeless, string Detail);

/// <summary>What a secret that waits for its parent tells it.</summary>
/// <param name="Consumers">Who has to be restarted, as <c>Kind/name</c>.</param>
public sealed record ReadyToRefresh(SecretReference Secret, string Namespace, string KubernetesSecret, int Version, IReadOnlyList<string> Consumers);
