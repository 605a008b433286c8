using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Scaling;

/// <summary>The object by which Kubernetes itself scales a component, where the specification leaves it to it (<c>scaling.COMPONENT.by</c>). It belongs to the component like its manifests: it is planned, applied, checked for drift and removed with it.</summary>
/// <remarks>Sources: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/, https://keda.sh/docs/latest/reference/scaledobject-spec/,
/// https://keda.sh/docs/latest/scalers/prometheus/, https://keda.sh/docs/latest/scalers/temporal/ (since KEDA 2.17).</remarks>
public static class DelegatedScaling
{
    /// <summary>The component whose parameters say how KEDA reaches Prometheus and Temporal.</summary>
    public const string Keda = "keda";

    private const string Prometheus = "prometheus", Temporal = "temporal";

    /// <summary>On the object: the signals that its scaler does not know, which nobody asks any more.</summary>
    public const string LeftOut = "platformops.io/signals-left-out";

    /// <summary>The longest that an autoscaler looks back.</summary>
    private static readonly TimeSpan LongestWindow = TimeSpan.FromHours(1);

    /// <summary>The longest period of an autoscaler's policy.</summary>
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromMinutes(30);

    private static readonly ObjectKind AutoscalerKind = new("autoscaling/v2", "HorizontalPodAutoscaler"), ScaledObjectKind = new("keda.sh/v1alpha1", "ScaledObject");

    /// <summary>The kinds of the objects by which Kubernetes may come to scale a component: none when nothing of it can be left to it.</summary>
    public static IReadOnlyList<ObjectKind> KindsOf(ComponentDefinition component) =>
        component.Scaling is { Workload: not null, Signals.Count: > 0, Shards: false } ? [AutoscalerKind, ScaledObjectKind] : [];

    /// <summary>Who scales a component in the place of PlatformOps, in words; null: nobody.</summary>
    public static string? ScalerOf(EnvironmentSpecification environment, string component) => ByOf(environment, component) switch
    {
        ScaledBy.Keda => $"KEDA (scaling.{component}.by of the specification)",
        ScaledBy.Hpa => $"A HorizontalPodAutoscaler (scaling.{component}.by of the specification)",
        _ => null,
    };

    /// <summary>Who scales a component.</summary>
    public static ScaledBy ByOf(EnvironmentSpecification environment, string component) => environment.Scaling.FirstOrDefault(range => range.Component == component)?.By ?? ScaledBy.Autoscale;

    /// <summary>What has to be there before the component, since it scales it; null: nothing.</summary>
    public static string? NeededBy(EnvironmentSpecification environment, string component) =>
        ByOf(environment, component) == ScaledBy.Keda && environment.Components.Any(listed => listed is { Name: Keda, Enabled: true }) ? Keda : null;

    /// <summary>Why Kubernetes cannot scale a component as the specification wants it; null: it can.</summary>
    /// <param name="grace">How long its pods have to stop; null: they do not say.</param>
    public static string? Trouble(EnvironmentSpecification environment, ComponentDefinition component, TimeSpan? grace)
    {
        var by = ByOf(environment, component.Name);
        if (by == ScaledBy.Autoscale)
            return null;
        if (component.Scaling is not { Workload: not null, Signals.Count: > 0 } how)
            return $"the catalog names no workload and signals of {component.Name} that could be left to {Word(by)}; leave by out";
        if (how.Shards)
            return "its nodes keep shards, which leave a node before it goes: only PlatformOps waits for that; leave by out";
        if (how.Tasks?.Longest is { } longest && (grace ?? TimeSpan.Zero) < longest)
            return $"{Word(by)} does not ask what a worker does: its pods need at least {Yaml.Units.Format(longest)} to stop (the longest activity, tasks.longest), and have {Yaml.Units.Format(grace ?? TimeSpan.FromSeconds(30))}";
        if (by == ScaledBy.Hpa && !how.Signals.Any(signal => signal.Scaler == SignalScaler.Cpu))
            return $"a HorizontalPodAutoscaler knows CPU only, and no signal of {component.Name} is that; take keda";
        if (by == ScaledBy.Hpa && environment.Scaling.First(range => range.Component == component.Name).Minimum < 1)
            return "a HorizontalPodAutoscaler never goes below 1; raise minimum, or take keda";
        return by == ScaledBy.Keda && environment.Components.All(listed => listed.Name != Keda)
            ? "components.keda is missing, which says how KEDA reaches Prometheus and Temporal; state it, with enabled: false when somebody else has installed KEDA"
            : null;
    }

    /// <summary>What tells whether the scaler works; null: nothing has to be waited for.</summary>
    /// <remarks>A HorizontalPodAutoscaler says that it works only once there are metrics of pods that have run for a while: its object being there has to be enough.</remarks>
    public static HealthGate? Gate(EnvironmentSpecification environment, ComponentDefinition component) =>
        ByOf(environment, component.Name) == ScaledBy.Keda && component.Scaling?.Workload is { } workload ? new ConditionGate(ScaledObjectKind, workload.Name, workload.Namespace) : null;

    /// <summary>The parameters of a component that stand in the objects of others.</summary>
    internal static IReadOnlyList<string> NamesIn(ComponentDefinition component) => component.Name == Keda ? [Prometheus, Temporal] : [];

    /// <summary>The object; null: PlatformOps scales the component, or nobody does.</summary>
    public static JsonObject? Of(EnvironmentSpecification environment, ComponentDefinition component, string region) =>
        environment.Scaling.FirstOrDefault(range => range.Component == component.Name) is not { By: not ScaledBy.Autoscale } range
        || DeclaredScaling.Of(environment, component, region) is not { Workload: { } workload } how
            ? null
            : range.By == ScaledBy.Hpa ? Autoscaler(range, how, workload) : ScaledObject(range, how, workload, environment.Components.First(listed => listed.Name == Keda).Parameters);

    private static JsonObject Autoscaler(ScalingRange range, ScalingDefinition how, ScaledWorkload workload) => new()
    {
        ["apiVersion"] = AutoscalerKind.ApiVersion,
        ["kind"] = AutoscalerKind.Kind,
        ["metadata"] = Metadata(how, workload, signal => signal.Scaler == SignalScaler.Cpu),
        ["spec"] = new JsonObject
        {
            ["scaleTargetRef"] = Target(workload),
            ["minReplicas"] = range.Minimum,
            ["maxReplicas"] = range.Maximum,
            ["metrics"] = new JsonArray([.. how.Signals.Where(signal => signal.Scaler == SignalScaler.Cpu).Select(signal => new JsonObject
            {
                ["type"] = "Resource",
                ["resource"] = new JsonObject { ["name"] = "cpu", ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = (long)signal.Target } },
            })]),
            ["behavior"] = Behaviour(how),
        },
    };

    private static JsonObject ScaledObject(ScalingRange range, ScalingDefinition how, ScaledWorkload workload, JsonObject reached) => new()
    {
        ["apiVersion"] = ScaledObjectKind.ApiVersion,
        ["kind"] = ScaledObjectKind.Kind,
        ["metadata"] = Metadata(how, workload, Asks),
        ["spec"] = new JsonObject
        {
            ["scaleTargetRef"] = Target(workload),
            ["minReplicaCount"] = range.Minimum,
            ["maxReplicaCount"] = range.Maximum,
            ["advanced"] = new JsonObject { ["horizontalPodAutoscalerConfig"] = new JsonObject { ["behavior"] = Behaviour(how) } },
            ["triggers"] = new JsonArray([.. how.Signals.Where(Asks).Select(signal => Trigger(signal, how.Tasks, reached))]),
        },
    };

    private static JsonObject Trigger(ScalingSignal signal, PolledTasks? tasks, JsonObject reached)
    {
        var target = signal.Target.ToString(CultureInfo.InvariantCulture);
        return signal.Scaler switch
        {
            SignalScaler.Temporal => new()
            {
                ["type"] = "temporal",
                ["name"] = signal.Name,
                ["metricType"] = "AverageValue",
                ["metadata"] = new JsonObject
                {
                    ["endpoint"] = (string)reached[Temporal]!,
                    ["namespace"] = tasks!.Namespace,
                    ["taskQueue"] = tasks.Queue,
                    ["queueTypes"] = "workflow,activity",
                    ["targetQueueSize"] = target,
                },
            },
            // Also for the CPU: the query counts the container that works, and not what runs beside it in its pod.
            _ => new()
            {
                ["type"] = "prometheus",
                ["name"] = signal.Name,
                // An average is the same for each; a total is divided among them.
                ["metricType"] = signal.Kind == SignalKind.Average ? "Value" : "AverageValue",
                ["metadata"] = new JsonObject
                {
                    ["serverAddress"] = (string)reached[Prometheus]!,
                    ["query"] = signal.Query,
                    ["threshold"] = target,
                    // Nothing known is not nothing to do.
                    ["ignoreNullValues"] = "false",
                },
            },
        };
    }

    /// <summary>An autoscaler adds and removes by how far a number is from its target: it has no latency that asks for one more, and no signal that holds it.</summary>
    private static bool Asks(ScalingSignal signal) => signal.Kind is SignalKind.Average or SignalKind.Total;

    private static JsonObject Metadata(ScalingDefinition how, ScaledWorkload workload, Func<ScalingSignal, bool> asked)
    {
        var metadata = new JsonObject { ["name"] = workload.Name, ["namespace"] = workload.Namespace };
        if (how.Signals.Where(signal => !asked(signal)).Select(signal => signal.Name).ToList() is { Count: > 0 } left)
            metadata["annotations"] = new JsonObject { [LeftOut] = string.Join(", ", left) };
        return metadata;
    }

    private static JsonObject Target(ScaledWorkload workload) => new() { ["apiVersion"] = "apps/v1", ["kind"] = workload.Kind, ["name"] = workload.Name };

    private static JsonObject Behaviour(ScalingDefinition how) => new()
    {
        ["scaleUp"] = Steps(TimeSpan.Zero, how.StepOut, how.Cooldown),
        ["scaleDown"] = Steps(how.Stabilize < LongestWindow ? how.Stabilize : LongestWindow, how.StepIn, how.Cooldown),
    };

    private static JsonObject Steps(TimeSpan window, int percent, TimeSpan every)
    {
        var period = (long)(every < LongestPeriod ? every : LongestPeriod).TotalSeconds;
        return new()
        {
            ["stabilizationWindowSeconds"] = (long)window.TotalSeconds,
            ["selectPolicy"] = "Max",
            ["policies"] = new JsonArray(
                new JsonObject { ["type"] = "Percent", ["value"] = percent, ["periodSeconds"] = period },
                new JsonObject { ["type"] = "Pods", ["value"] = 1, ["periodSeconds"] = period }),
        };
    }

    private static string Word(ScaledBy by) => by == ScaledBy.Keda ? "KEDA" : "a HorizontalPodAutoscaler";
}
