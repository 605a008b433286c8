using System.Text.Json.Nodes;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Binds a checked <c>scaling</c>.</summary>
internal static class ScalingReader
{
    private static readonly string[] Pools = ["connections", "connectionLimit"];

    /// <summary>The kinds of signals by their words.</summary>
    public static IReadOnlyDictionary<string, SignalKind> SignalKinds { get; } = Enum.GetValues<SignalKind>().ToDictionary(kind => kind.ToString().ToLowerInvariant());

    /// <summary>Null, with problems, when its fields do not fit together.</summary>
    /// <param name="known">What its texts may refer to.</param>
    public static ScalingDefinition? Read(
        JsonObject tree, string space, string path, IReadOnlyList<ParameterDefinition> parameters, IReadOnlyList<string> known, ShapeReader reader)
    {
        var wrong = false;
        var (parameter, workload) = ((string)tree["parameter"]!, (string?)tree["workload"]);
        IReadOnlyList<ScalingSignal> signals = [.. tree["signals"]!.AsArray().Select(signal => Signal((JsonObject)signal!))];
        if (parameters.FirstOrDefault(candidate => candidate.Name == parameter) is not { Type: ParameterType.Integer, Minimum: not null, Maximum: not null } ranged)
            Report("parameter", $"{parameter} is not an integer parameter of this component with minimum and maximum, which are the range; declare it so");
        else if (ranged.Immutable)
            Report("parameter", $"{parameter} can be set once and never be changed: {ranged.ImmutableReason}");
        if (workload is null && (signals.Count > 0 || tree.ContainsKey("tasks") || (bool)tree["shards"]!))
            Report("workload", "is missing: say whose replicas it is, or leave signals, tasks and shards out");
        if ((bool)tree["shards"]! && workload?.StartsWith("StatefulSet/", StringComparison.Ordinal) == false)
            Report("shards", "is for a StatefulSet: only there it is known which node goes");
        if (tree.ContainsKey("connections") != tree.ContainsKey("connectionLimit"))
            Report(tree.ContainsKey("connections") ? "connectionLimit" : "connections", "is missing: the pools of all replicas are compared with what the database accepts");
        foreach (var pool in Pools.Where(key => tree[key] is { } given && !known.Contains((string)given!)))
            Report(pool, $"{tree[pool]} is neither a parameter of this component nor imported");
        if (signals.Count > 0 && !signals.Any(signal => signal.Kind is SignalKind.Average or SignalKind.Total))
            Report("signals", "need one of kind average or total: the others never say that fewer replicas are enough");
        foreach (var (signal, index) in signals.Select((signal, index) => (signal, index)))
        {
            if (signal is { Target: 0, Kind: SignalKind.Average or SignalKind.Total })
                Report($"signals[{index}].target", "is 0, of which no number of replicas is a multiple; give what one replica can carry");
            if (signals.Take(index).Any(other => other.Name == signal.Name))
                Report($"signals[{index}].name", $"{signal.Name} is the name of two signals; give each its own");
            if (signal.Scaler != SignalScaler.Prometheus && signal.Kind is not (SignalKind.Average or SignalKind.Total))
                Report($"signals[{index}].scaler", $"is for signals of kind average or total: no other scaler knows {signal.Kind.ToString().ToLowerInvariant()}");
            if (signal.Scaler == SignalScaler.Temporal && !tree.ContainsKey("tasks"))
                Report($"signals[{index}].scaler", "is temporal, which asks for the backlog of tasks: state tasks");
            CheckText($"signals[{index}].query", signal.Query);
        }

        var tasks = tree["tasks"] is JsonObject queue ? new PolledTasks((string)queue["namespace"]!, (string)queue["queue"]!, queue["longest"] is { } longest ? Duration(longest) : null) : null;
        CheckText("tasks.namespace", tasks?.Namespace ?? "");
        CheckText("tasks.queue", tasks?.Queue ?? "");
        return wrong ? null : new(
            parameter, workload?.Split('/') is [var kind, var name] ? new(kind, name, space) : null, signals, Duration(tree["stabilize"]), Duration(tree["cooldown"]),
            (int)(long)tree["stepOut"]!, (int)(long)tree["stepIn"]!, (string?)tree["connections"], (string?)tree["connectionLimit"], tasks, (bool)tree["shards"]!);

        void CheckText(string at, string text)
        {
            foreach (var unknown in Placeholders.NamesIn(text).Where(name => !known.Contains(name)))
                Report(at, $"${{{unknown}}} is not a parameter of this component; declared, imported or built in: {string.Join(", ", known)}");
        }

        void Report(string at, string message)
        {
            wrong = true;
            reader.Report($"{path}.{at}", message);
        }
    }

    /// <summary>The parameters that <c>scaling</c> itself needs, whether a manifest has them or not.</summary>
    public static IEnumerable<string> NamesIn(ScalingDefinition? scaling) => scaling is null ? [] :
        new[] { scaling.Parameter, scaling.Connections, scaling.ConnectionLimit }.OfType<string>()
            .Concat(scaling.Signals.Select(signal => signal.Query).Append(scaling.Tasks?.Namespace ?? "").Append(scaling.Tasks?.Queue ?? "").SelectMany(Placeholders.NamesIn));

    private static ScalingSignal Signal(JsonObject tree) => new(
        (string)tree["name"]!, SignalKinds[(string)tree["kind"]!], (string)tree["query"]!, (long)tree["target"]!, (string)tree["unit"]!, Words.Parse<SignalScaler>((string)tree["scaler"]!));

    private static TimeSpan Duration(JsonNode? node) =>
        Units.TryParseDuration((string)node!, out var duration) ? duration : throw new InvalidOperationException($"'{node}' passed as a duration.");
}
