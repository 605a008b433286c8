namespace PlatformOps.Sandbox;

/// <summary>What goes wrong with the pods of a workload.</summary>
public enum MisbehaviourKind
{
    /// <summary>The image cannot be pulled: containers wait with ErrImagePull, then ImagePullBackOff.</summary>
    ImagePull,

    /// <summary>The container starts and exits with 1, again and again: CrashLoopBackOff, and the restart count grows.</summary>
    CrashLoop,

    /// <summary>No node has room: the pod stays Pending with PodScheduled False.</summary>
    Unschedulable,

    /// <summary>All goes well, but takes twenty times as long.</summary>
    Slow,

    /// <summary>For <c>argocd-application-controller</c>: it goes on with what it had read of Secrets when its pods started.</summary>
    StaleSecrets,
}

/// <summary>An instruction to the sandbox: the pods of this workload go wrong until told otherwise.</summary>
/// <param name="Namespace">The namespace of the workload.</param>
/// <param name="Workload">The name of the Deployment, StatefulSet, DaemonSet or Job.</param>
/// <param name="Kind">What goes wrong.</param>
public sealed record Misbehaviour(string Namespace, string Workload, MisbehaviourKind Kind);
