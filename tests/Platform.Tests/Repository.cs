using System.Reflection;

namespace PlatformOps.Platform.Tests;

/// <summary>Where this repository's files are.</summary>
internal static class Repository
{
    public static string Root { get; } = typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    /// <summary>The texts of all YAML files below a folder, by path relative to it.</summary>
    public static Dictionary<string, string> Texts(string folder)
    {
        var root = Path.Combine(Root, folder);
        return Directory.EnumerateFiles(root, "*.yaml", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(root, file), File.ReadAllText);
    }

    public static TheoryData<string> Folders(string folder) =>
        [.. Directory.EnumerateDirectories(Path.Combine(Root, folder)).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
}
