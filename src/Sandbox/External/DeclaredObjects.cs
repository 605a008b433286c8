using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>The objects that the services have, as declarations: the <c>spec</c> of each. Thread-safe.</summary>
internal sealed class DeclaredObjects
{
    private readonly Lock gate = new();
    private readonly List<(string Kind, JsonObject Spec)> all = [];

    public void Put(string kind, JsonObject spec)
    {
        lock (gate)
            all.Add((kind, (JsonObject)spec.DeepClone()));
    }

    /// <summary>A copy of the first of a kind whose field is this.</summary>
    public JsonObject? Find(string kind, string field, string value) => Of(kind).FirstOrDefault(spec => spec[field]?.ToString() == value);

    /// <summary>Copies of all of a kind.</summary>
    public IReadOnlyList<JsonObject> Of(string kind)
    {
        lock (gate)
            return [.. all.Where(item => item.Kind == kind).Select(item => (JsonObject)item.Spec.DeepClone())];
    }
}

internal static class Defaults
{
    /// <summary>These fields, over what is usual.</summary>
    public static JsonObject Over(this JsonObject fields, JsonObject usual)
    {
        foreach (var (name, value) in fields)
            usual[name] = value?.DeepClone();
        return usual;
    }
}
