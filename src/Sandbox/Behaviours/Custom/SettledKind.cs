using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Custom;

/// <summary>A kind whose controller finds all well after a while, and says so. They stand in <c>SettledKinds.yaml</c>.</summary>
internal sealed record SettledKind
{
    private static readonly JsonSerializerOptions Reading = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    public required string Group { get; init; }

    public required string Kind { get; init; }

    /// <summary>Fields of the status; <c>${name}</c> is the object's name.</summary>
    public JsonObject Status { get; init; } = [];

    /// <summary>Fields of the status that get the time at which it was found well.</summary>
    public IReadOnlyList<string> Times { get; init; } = [];

    public IReadOnlyList<Condition> Conditions { get; init; } = [];

    public static IReadOnlyList<SettledKind> ReadAll()
    {
        using var reader = new StreamReader(typeof(SettledKind).Assembly.GetManifestResourceStream("SettledKinds.yaml")!);
        return YamlText.Read(reader.ReadToEnd()).Deserialize<IReadOnlyList<SettledKind>>(Reading)!;
    }
}
