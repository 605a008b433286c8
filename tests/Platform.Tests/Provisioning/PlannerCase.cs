using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Provisioning;

/// <summary>One folder below <c>Cases</c>: what is wanted (<c>desired.yaml</c>), what is there (<c>observed.yaml</c>) and what would be done (<c>plan.txt</c>).</summary>
/// <remarks><c>desired.yaml</c>: <c>mayDestroy</c>, <c>purpose</c> (default: to provision), and <c>components</c>, each with what a <c>component.yaml</c> may say, <c>objects</c> instead of files, and <c>given</c>:
/// what the specification says of it. <c>observed.yaml</c>: live objects; the label <c>ours: NAME</c> stands for all labels of component NAME.</remarks>
internal sealed class PlannerCase
{
    private const string Folder = "tests/Platform.Tests/Provisioning/Cases";

    private PlannerCase(EnvironmentSpecification environment, ComponentCatalog catalog, IReadOnlyList<ObservedObject> observed, PlanPurpose purpose, string expected) =>
        (Environment, Catalog, Observed, Purpose, Expected) = (environment, catalog, observed, purpose, expected);

    public static TheoryData<string> Names => Repository.Folders(Folder);

    public EnvironmentSpecification Environment { get; }

    public ComponentCatalog Catalog { get; }

    public IReadOnlyList<ObservedObject> Observed { get; }

    public PlanPurpose Purpose { get; }

    public string Expected { get; }

    public static PlannerCase Read(string name)
    {
        var folder = Path.Combine(Repository.Root, Folder, name);
        var desired = YamlText.Parse(File.ReadAllText(Path.Combine(folder, "desired.yaml")))!.AsObject();
        var components = desired["components"]!.AsArray().Select(component => component!.AsObject()).ToList();
        var given = components.Select(component => (Name: (string)component["name"]!, Given: Take(component, "given")?.AsObject() ?? [])).ToList();
        var catalog = CatalogReader.Read(components.SelectMany(Files).ToDictionary());
        var observedText = File.ReadAllText(Path.Combine(folder, "observed.yaml"));
        return new(
            TestEnvironment.Of(mayDestroy: (bool?)desired["mayDestroy"] ?? true, [.. given.Select(pair => new ComponentSpecification
            {
                Name = pair.Name,
                Enabled = (bool?)Take(pair.Given, "enabled") ?? true,
                Parameters = pair.Given.DeepClone().AsObject(),
            })]),
            catalog.Catalog ?? throw new InvalidOperationException(string.Join('\n', catalog.Problems)),
            [.. (YamlText.Parse(observedText)?.AsArray() ?? []).Select(live => TestEnvironment.Observed(live!.AsObject()))],
            (string?)desired["purpose"] is { } purpose ? Enum.Parse<PlanPurpose>(purpose, ignoreCase: true) : PlanPurpose.Provision,
            File.ReadAllText(Path.Combine(folder, "plan.txt")).Trim());
    }

    /// <summary>The plan in words, or why there is none.</summary>
    public string Plan()
    {
        try
        {
            return PlanText.Of(ProvisioningPlanner.Plan(Environment, Catalog, [TestEnvironment.Observation(Observed)], purpose: Purpose));
        }
        catch (DependencyException refused)
        {
            return string.Join('\n', refused.Problems.Select(problem => $"refused: {problem}"));
        }
    }

    private static JsonNode? Take(JsonObject map, string key) => map.Remove(key, out var value) ? value : null;

    /// <summary>JSON is YAML: the readers of the product read what they would read from files.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Files(JsonObject component)
    {
        var objects = Take(component, "objects")?.AsArray() ?? [];
        foreach (var (key, value) in new (string, JsonNode)[] { ("summary", "A system."), ("plane", "test"), ("namespace", "temporal-backend"), ("health", new JsonArray()), ("manifests", new JsonArray("objects.yaml")) })
            component[key] ??= value;
        yield return new($"{component["name"]}/component.yaml", component.ToJsonString());
        yield return new($"{component["name"]}/objects.yaml", string.Join("\n---\n", objects.Select(manifest => manifest!.ToJsonString())));
    }
}
