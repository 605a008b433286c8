using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>What is shipped to deploy PlatformOps, as <c>kubectl kustomize</c> makes it.</summary>
internal static partial class Kustomization
{
    /// <summary>The overlays: what people apply.</summary>
    public static IReadOnlyList<string> Overlays { get; } = [.. new[] { "platformops", "bootstrap" }
        .SelectMany(part => Directory.EnumerateDirectories(Path.Combine(Tools.Root, "k8s", part, "overlays"))).Order(StringComparer.Ordinal).Select(folder => Path.GetRelativePath(Tools.Root, folder))];

    /// <summary>The objects of a folder, in the order in which they are to be applied.</summary>
    public static async Task<IReadOnlyList<JsonObject>> RenderAsync(string folder)
    {
        var version = await Tools.RunAsync("kubectl", "", "version", "--client", "--output=json");
        // kubectl 1.14 to 1.20 hold a kustomize of 2019, which knows neither components nor labels.
        var minor = int.Parse(Digits().Match((string)JsonNode.Parse(version)!["clientVersion"]!["minor"]!).Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.SkipWhen(minor < 25, $"kubectl 1.{minor} cannot render what is shipped: put kubectl 1.25 or newer on the PATH.");
        return [.. Separator().Split(await Tools.RunAsync("kubectl", "", "kustomize", Path.Combine(Tools.Root, folder))).Select(YamlText.Read).OfType<JsonObject>()];
    }

    public static string Name(JsonObject manifest) => $"{manifest["kind"]} {manifest["metadata"]!["namespace"]}/{manifest["metadata"]!["name"]}";

    [GeneratedRegex("^---$", RegexOptions.Multiline)]
    private static partial Regex Separator();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
