using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Provisioning;

/// <summary>How fields are named, the same for diffs and for owners: <c>spec.template.spec.containers[name=app].image</c>.</summary>
internal static class FieldPath
{
    /// <summary>The keys by which Kubernetes merges a list, by the list's name. The first row whose keys the element has (or for which there is a default) counts.</summary>
    private static readonly Dictionary<string, string[][]> MergeKeys = new()
    {
        ["containers"] = [["name"]],
        ["env"] = [["name"]],
        ["ephemeralContainers"] = [["name"]],
        ["hostAliases"] = [["ip"]],
        ["imagePullSecrets"] = [["name"]],
        ["initContainers"] = [["name"]],
        ["ports"] = [["containerPort", "protocol"], ["port", "protocol"]],
        ["secrets"] = [["name"]],
        ["topologySpreadConstraints"] = [["topologyKey", "whenUnsatisfiable"]],
        ["volumeDevices"] = [["devicePath"]],
        ["volumeMounts"] = [["mountPath"]],
        ["volumes"] = [["name"]],
    };

    public static string Field(string parent, string name) => parent.Length == 0 ? name : $"{parent}.{name}";

    /// <summary>The key of an element of the list at a path; null when the list is not merged by key (then it is replaced as a whole).</summary>
    public static string? ElementKey(string listPath, JsonNode? element)
    {
        // The ports of a network policy or an Ingress rule are plain lists, although they have the same name.
        if (listPath.Contains("ingress[", StringComparison.Ordinal) || listPath.Contains("egress[", StringComparison.Ordinal) || element is not JsonObject map)
            return null;
        if (!MergeKeys.TryGetValue(listPath[(listPath.LastIndexOf('.') + 1)..], out var candidates))
            return null;
        var keys = Array.Find(candidates, candidate => map.ContainsKey(candidate[0]));
        return keys is null ? null : InBrackets(keys.Select(key => (key, map[key] is { } value ? Text(value) : key == "protocol" ? "TCP" : "")));
    }

    /// <summary>The element of <c>k:{"name":"app"}</c> in managed fields.</summary>
    public static string ElementKey(JsonObject keys) =>
        InBrackets(keys.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, Text(pair.Value!))));

    public static string Text(JsonNode node) => node switch
    {
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonValue value when value.TryGetValue<long>(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => node.ToJsonString(),
    };

    private static string InBrackets(IEnumerable<(string Key, string Value)> keys) =>
        $"[{string.Join(',', keys.Select(pair => $"{pair.Key}={pair.Value}"))}]";
}
