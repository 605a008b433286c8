namespace PlatformOps.Sandbox.Behaviours;

/// <summary>Which cluster to bring to life, and how its pods behave.</summary>
/// <param name="Api">Where the Kubernetes API answers.</param>
/// <param name="Token">Bearer token; null sends none.</param>
/// <param name="Seed">The same seed gives every workload the same ready time.</param>
/// <param name="TimeScale">Multiplies every delay of the behaviours; 0 means at once.</param>
/// <param name="TimeProvider">The clock of delays and timestamps. Retries after a failed call do not use it.</param>
/// <param name="Misbehaviour">What is wrong with the pods of a workload (namespace, name); null: nothing. Asked again at every look at a pod.</param>
internal sealed record BehaviourOptions(
    Uri Api,
    string? Token,
    int Seed,
    double TimeScale,
    TimeProvider TimeProvider,
    Func<string, string, MisbehaviourKind?> Misbehaviour)
{
    /// <summary>Makes the connection, for a server with a certificate of its own; null: the usual one.</summary>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>The first two numbers of every pod's address.</summary>
    public string PodNetwork { get; init; } = "10.244";

    /// <summary>Reads a secret of a Vault: its address, the mount of a key/value engine, the path, which properties are asked for. Null: no Vault of the sandbox can be read.</summary>
    public Func<string, string, string, IReadOnlyList<string>, CancellationToken, Task<IReadOnlyDictionary<string, string>?>>? ReadVault { get; init; }

    /// <summary>Shows a repository of Argo CD a user name and a password: its address, the two; answers with how it refuses, such as <c>401 Unauthorized</c>, or null when it lets in. Null: every repository lets everybody in.</summary>
    public Func<string, string, string, string?>? OpenRepository { get; init; }

    /// <summary>Hears of every reconcile that failed and is tried again: which, and why.</summary>
    public Action<string>? Trouble { get; init; }

    /// <summary>A delay of the behaviours, in this cluster's time.</summary>
    public TimeSpan Scaled(TimeSpan delay) => delay * TimeScale;
}
