using System.Text.RegularExpressions;
using PlatformOps.Platform.Tests.Catalog;
using YamlDotNet.RepresentationModel;

namespace PlatformOps.Platform.Tests.Deployment;

/// <summary>What Temporal's server is configured with, for the platform and for the runbooks, are settings that it has: it would ignore another one without a word. The list was made from its source, once, and stands in <c>temporal-configuration.txt</c>.</summary>
public sealed partial class TemporalConfigurationTests
{
    private static IReadOnlyList<string> Known { get; } =
        [.. File.ReadLines(Path.Combine(Repository.Root, "tests/Platform.Tests/Deployment/temporal-configuration.txt")).Where(line => line.Length > 0 && line[0] != '#')];

    private static IReadOnlyList<Regex> Patterns { get; } = [.. Known.Select(key => new Regex($"^{Regex.Escape(key).Replace("\\*", "[^.]+", StringComparison.Ordinal)}$"))];

    [Fact]
    public void Every_setting_is_one_that_the_server_has()
    {
        var bootstrap = File.ReadAllText(Path.Combine(Repository.Root, "k8s/bootstrap/base/config_template.yaml"));
        var dynamic = File.ReadAllText(Path.Combine(Repository.Root, "k8s/bootstrap/base/dynamic_config.yaml"));
        var maps = CommittedCatalog.Render(CommittedCatalog.Environment("production")).Where(pair => pair.Object.Address.Kind == "ConfigMap").SelectMany(pair => pair.Object.Manifest["data"]?.AsObject() ?? []).ToList();
        var configurations = maps.Where(file => file.Key == "config_template.yaml").Select(file => (string)file.Value!).Append(bootstrap).ToList();
        var dynamics = maps.Where(file => file.Key == "dynamic_config.yaml").Select(file => (string)file.Value!).Append(dynamic).ToList();
        Assert.Equal((2, 2), (configurations.Count, dynamics.Count));

        var settings = configurations.SelectMany(text => Leaves(Root(text), "")).Concat(dynamics.SelectMany(text => Root(text).Children.Keys.Select(key => $"dynamic:{key}"))).Distinct().ToList();
        Assert.True(settings.Count > 50, "The settings were not found.");
        Assert.DoesNotContain(settings, setting => !Patterns.Any(pattern => pattern.IsMatch(setting)));
        Assert.Empty(Known.Where((_, index) => !settings.Any(setting => Patterns[index].IsMatch(setting))));
        // Without this comment in its beginning the server does not fill in what stands in braces.
        Assert.All(configurations, text => Assert.Contains("# enable-template", text[..Math.Min(1024, text.Length)], StringComparison.Ordinal));
    }

    /// <summary>What the server fills in when it starts is a text for us.</summary>
    private static YamlMappingNode Root(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Templates().Replace(text, "filled")));
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    private static IEnumerable<string> Leaves(YamlNode node, string path) => node is not YamlMappingNode map ? [path] : map.Children.SelectMany(child => (string?)((YamlScalarNode)child.Key).Value == "<<"
        ? Leaves(child.Value, path) : Leaves(child.Value, path.Length == 0 ? $"{child.Key}" : $"{path}.{child.Key}"));

    [GeneratedRegex("\\{\\{[^}]*\\}\\}")]
    private static partial Regex Templates();
}
