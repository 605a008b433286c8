namespace PlatformOps.Platform.Secrets;

/// <summary>What is done next in a rotation.</summary>
public enum RotationStep
{
    /// <summary>Look again later: something could not be found out, or is on its way.</summary>
    Wait,

    /// <summary>Somebody has to change something first.</summary>
    Stop,

    /// <summary>Write into Vault what the Kubernetes Secret holds: it was made before there was a rotation.</summary>
    Adopt,

    /// <summary>Make the system accept the current version again.</summary>
    Restore,

    /// <summary>Make a new value and keep it as pending.</summary>
    Create,

    /// <summary>Make the system accept the pending version, beside the current one.</summary>
    Set,

    /// <summary>Make the pending version the current one.</summary>
    Promote,

    /// <summary>Throw a pending version away that is the current one by now.</summary>
    Discard,

    /// <summary>Bring the current version into the Kubernetes Secret.</summary>
    Publish,

    /// <summary>Restart a consumer, so that it takes up the current version; or ask those that are not restarted to show that they have it.</summary>
    Refresh,

    /// <summary>The proof holds; it has to hold longer.</summary>
    Settle,

    /// <summary>Make the system refuse the previous version, and destroy its value. There is no way back.</summary>
    Revoke,

    /// <summary>Everything is done.</summary>
    Finish,

    /// <summary>Before anything was handed out: have the system refuse the pending version, and throw it away.</summary>
    Withdraw,

    /// <summary>After it was handed out: make the previous credential the current one again, as a new version.</summary>
    Return,
}

/// <summary>What is done next, and why.</summary>
/// <param name="Why">One sentence for an operator.</param>
/// <param name="Consumers">Those that it is about, by name.</param>
public sealed record RotationDecision(RotationStep Step, string Why, IReadOnlyList<string> Consumers)
{
    public RotationDecision(RotationStep step, string why) : this(step, why, [])
    {
    }

    /// <summary>Whether the consumers wait for whoever restarts them for several secrets.</summary>
    public bool Held { get; init; }

    /// <summary>What is done when somebody has a stopped run go on, before it is looked at again; null: nothing.</summary>
    public RotationStep? OnRetry { get; init; }
}
