using System.Text.Json;

namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>The charts that every repository of the sandbox has, by name.</summary>
internal static class ChartRepository
{
    private static readonly JsonSerializerOptions Reading = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    private static readonly Lazy<IReadOnlyDictionary<string, Chart>> Known = new(Read);

    public static IEnumerable<Chart> All => Known.Value.Values;

    public static Chart? Find(string name) => Known.Value.GetValueOrDefault(name);

    private static Dictionary<string, Chart> Read()
    {
        var assembly = typeof(ChartRepository).Assembly;
        return assembly.GetManifestResourceNames().Where(name => name.StartsWith("Charts/", StringComparison.Ordinal)).Select(name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return YamlText.Read(reader.ReadToEnd()).Deserialize<Chart>(Reading) ?? throw new InvalidOperationException($"{name} is empty.");
        }).ToDictionary(chart => chart.Name);
    }
}
