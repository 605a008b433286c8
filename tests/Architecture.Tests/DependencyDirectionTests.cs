using System.Xml.Linq;

namespace PlatformOps.Architecture.Tests;

/// <summary>The compiler keeps the direction that the project files allow; this keeps the project files.</summary>
public class DependencyDirectionTests
{
    private static readonly Dictionary<string, string[]> AllowedProjects = new()
    {
        ["Platform"] = [],
        ["PlatformWorkflows"] = ["Platform"],
        ["Adapters"] = ["Platform"],
        ["Activities"] = ["Adapters", "PlatformWorkflows"],
        ["BootstrapServer"] = [],
        ["NativeServer"] = ["BootstrapServer"],
        ["Guard"] = ["Adapters", "Platform"],
        ["Sandbox"] = [],
        ["Starter"] = ["Activities", "BootstrapServer", "Guard", "Sandbox"],
    };

    /// <summary>A third-party SDK is spoken in one project, so that replacing it means reading one project.</summary>
    private static readonly Dictionary<string, string[]> OnlyIn = new()
    {
        ["AWSSDK.Core"] = ["Adapters"],
        ["AWSSDK.S3"] = ["Adapters"],
        ["Grpc.AspNetCore.Server"] = ["BootstrapServer"],
        ["KubernetesClient"] = ["Adapters"],
        ["Microsoft.Data.Sqlite"] = ["BootstrapServer", "Sandbox"],
        ["Spectre.Console"] = ["Starter"],
        ["System.CommandLine"] = ["Starter"],
        ["Temporalio"] = ["PlatformWorkflows", "Adapters", "BootstrapServer"],
        ["Temporalio.Extensions.Hosting"] = ["Starter"],
        ["YamlDotNet"] = ["Platform", "Sandbox"],
    };

    public static TheoryData<string> Projects() =>
        [.. Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(Path.GetFileName).OfType<string>()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_direction_allows(string project)
    {
        Assert.True(AllowedProjects.TryGetValue(project, out var allowed), $"src/{project} is new: give it a place in the direction here and in docs/architecture.md.");
        var references = References(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')));
        Assert.Empty(references.Except(allowed));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_third_party_library_is_used_where_it_belongs(string project)
    {
        var misplaced = References(project, "PackageReference")
            .Where(package => OnlyIn.TryGetValue(package, out var homes) && !homes.Contains(project));
        Assert.Empty(misplaced);
    }

    [Fact]
    public void The_platform_compiles_against_no_Temporal_and_no_adapter()
    {
        var referenced = typeof(PlatformOps.Platform.Provisioning.ProvisioningPlan).Assembly.GetReferencedAssemblies().Select(name => name.Name!);
        Assert.DoesNotContain(referenced, name => name.StartsWith("Temporalio", StringComparison.Ordinal)
            || name.StartsWith("KubernetesClient", StringComparison.Ordinal)
            || name.StartsWith("PlatformOps.", StringComparison.Ordinal));
    }

    [Fact]
    public void There_is_one_solution_and_every_project_is_in_it()
    {
        Assert.Equal(["PlatformOps.sln"], Directory.GetFiles(Repository.Root, "*.sln*").Select(Path.GetFileName));
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "PlatformOps.sln")).Replace('\\', '/');
        var missing = new[] { "src", "tests", "bench" }
            .Select(folder => Path.Combine(Repository.Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            // Its compiler is downloaded for it alone; its suite builds it.
            .Except(["src/NativeServer/NativeServer.csproj"])
            .Where(file => !solution.Contains(file, StringComparison.Ordinal));
        Assert.Empty(missing);
    }

    private static IEnumerable<string> References(string project, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"))
            .Descendants(element)
            .Select(reference => reference.Attribute("Include")!.Value);
}
