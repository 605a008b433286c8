namespace PlatformOps.Architecture.Tests;

/// <summary>What the compiler's style rules leave to a formatter that takes minutes, because it loads every project: the order of using directives.</summary>
public class ImportOrderTests
{
    public static TheoryData<string> Folders() => ["src", "tests", "bench"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Namespaces_are_imported_in_order_those_of_System_first(string folder) =>
        Assert.Empty(Repository.SourceFiles(folder).Where(file => !IsInOrder(File.ReadLines(file))).Select(file => Path.GetRelativePath(Repository.Root, file)));

    [Theory]
    [InlineData(true, "using System.Text;", "using k8s;", "using PlatformOps.Platform;", "using Xunit;", "using static PlatformOps.Platform.Yaml.Units;", "using Client = k8s.Kubernetes;")]
    [InlineData(true, "using PlatformOps.Platform;", "", "namespace X;", "using var file = Open();")]
    [InlineData(false, "using PlatformOps.Platform;", "using System.Text;")]
    [InlineData(false, "using PlatformOps.Sandbox;", "using PlatformOps.Platform;")]
    public void The_order_is_judged_right(bool inOrder, params string[] lines) => Assert.Equal(inOrder, IsInOrder(lines));

    private static bool IsInOrder(IEnumerable<string> lines)
    {
        var imported = lines.TakeWhile(line => !line.StartsWith("namespace ", StringComparison.Ordinal))
            .Where(line => line.StartsWith("using ", StringComparison.Ordinal) && !line.StartsWith("using static ", StringComparison.Ordinal) && !line.Contains('=', StringComparison.Ordinal))
            .Select(line => line["using ".Length..].TrimEnd(';')).ToList();
        return imported.SequenceEqual(imported.OrderBy(name => name != "System" && !name.StartsWith("System.", StringComparison.Ordinal)).ThenBy(name => name, StringComparer.OrdinalIgnoreCase));
    }
}
