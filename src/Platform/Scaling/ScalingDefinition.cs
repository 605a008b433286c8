namespace PlatformOps.Platform.Scaling;

/// <summary>How a component is scaled, as the catalog declares it under <c>scaling</c>. In which range it may be, the parameter and the specification say.</summary>
/// <param name="Parameter">The parameter whose number it is. Its minimum and maximum are the widest range; the specification's <c>scaling.COMPONENT</c> lies inside.</param>
/// <param name="Workload">Whose replicas it is; null: the number stands in the component's configuration, and only a changed specification changes it.</param>
/// <param name="Signals">What is asked before an autoscaling decision; none: it is scaled by hand only.</param>
/// <param name="Stabilize">How long fewer replicas must have been enough before one goes.</param>
/// <param name="Cooldown">How long after a change nothing is taken away, and no more is added for the sake of a signal that more replicas calm down only later.</param>
/// <param name="StepOut">Percent of the replicas that may be added at once, at least one replica.</param>
/// <param name="StepIn">Percent of the replicas that may go at once, at least one replica.</param>
/// <param name="Connections">The parameter, of its own or imported, that says how many connections to the database each replica may open; null: none.</param>
/// <param name="ConnectionLimit">The parameter, of its own or imported, that says how many connections the database accepts; null: none.</param>
/// <param name="Tasks">Whose workers the replicas are: asked before one goes; null: they are no Temporal workers.</param>
/// <param name="Shards">Whether the replicas keep shards of an Elasticsearch, which leave a node before it goes.</param>
public sealed record ScalingDefinition(
    string Parameter,
    ScaledWorkload? Workload,
    IReadOnlyList<ScalingSignal> Signals,
    TimeSpan Stabilize,
    TimeSpan Cooldown,
    int StepOut,
    int StepIn,
    string? Connections = null,
    string? ConnectionLimit = null,
    PolledTasks? Tasks = null,
    bool Shards = false);

/// <summary>The workload whose <c>spec.replicas</c> is written.</summary>
/// <param name="Kind"><c>Deployment</c> or <c>StatefulSet</c>. Of a StatefulSet the replica with the highest ordinal goes first.</param>
public sealed record ScaledWorkload(string Kind, string Name, string Namespace)
{
    public override string ToString() => $"{Kind} {Namespace}/{Name}";
}

/// <summary>A task queue of the platform's own Temporal. Both texts may hold <c>${parameter}</c>.</summary>
/// <param name="Namespace">The Temporal namespace.</param>
/// <param name="Longest">How long an activity of theirs may take; null: nobody has said.</param>
public sealed record PolledTasks(string Namespace, string Queue, TimeSpan? Longest = null);

/// <summary>A number that says how busy a component is.</summary>
/// <param name="Query">In PromQL; gives one number. May hold <c>${parameter}</c>.</param>
/// <param name="Target">Where the number should be.</param>
/// <param name="Unit">What stands behind the number in sentences, for example <c>%</c>; empty: nothing.</param>
/// <param name="Scaler">Who else knows the number, for whoever scales in the place of PlatformOps.</param>
public sealed record ScalingSignal(string Name, SignalKind Kind, string Query, double Target, string Unit = "", SignalScaler Scaler = SignalScaler.Prometheus);

/// <summary>What asks for a signal's number when the specification leaves a component to Kubernetes.</summary>
public enum SignalScaler
{
    /// <summary>Prometheus, with the signal's query.</summary>
    Prometheus,

    /// <summary>The metrics API of Kubernetes: percent of the CPU that the pods request. Only for those that request as much as their limit, so that it is the query's number.</summary>
    Cpu,

    /// <summary>KEDA's scaler for Temporal: the backlog of the component's <see cref="ScalingDefinition.Tasks"/>.</summary>
    Temporal,
}

/// <summary>What a signal asks for.</summary>
public enum SignalKind
{
    /// <summary>The load of one replica on average, such as percent of its CPU: it halves when replicas double.</summary>
    Average,

    /// <summary>The load of all replicas together, such as a backlog: each can carry the target.</summary>
    Total,

    /// <summary>It must not be above the target, such as a latency: one step more then, and nothing goes. It never asks for fewer replicas, since nobody can tell at which
    /// number it would be above again.</summary>
    Ceiling,

    /// <summary>Nothing is scaled while it is above the target, since more or fewer replicas would make it worse, such as shards that change their owners.</summary>
    Hold,
}
