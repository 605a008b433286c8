using System.Globalization;
using System.Text.RegularExpressions;

namespace PlatformOps.Bench.Provisioning;

/// <summary>The reference specification, with the guard rail of parallel steps as it was asked for.</summary>
/// <param name="Folder">Where it is.</param>
/// <param name="Parallel">How many steps it lets be worked on at once.</param>
internal sealed partial record BenchSpecification(string Folder, int Parallel)
{
    /// <param name="scratch">A folder for the copy, where one is needed.</param>
    public static BenchSpecification Of(BenchmarkOptions options, string scratch)
    {
        var original = Path.Combine(Root(), "examples", "reference");
        var text = File.ReadAllText(EnvironmentFile(original, options.Environment));
        if (options.Parallel is not { } parallel)
            return new(original, int.Parse(MaxParallel().Match(text).Groups["number"].Value, CultureInfo.InvariantCulture));
        var copy = Path.Combine(scratch, "specification");
        foreach (var file in Directory.GetFiles(original, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(copy, Path.GetRelativePath(original, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        File.WriteAllText(EnvironmentFile(copy, options.Environment), MaxParallel().Replace(text, string.Create(CultureInfo.InvariantCulture, $"maxParallel: {parallel}")));
        return new(copy, parallel);
    }

    private static string EnvironmentFile(string folder, string environment) => Path.Combine(folder, "environments", $"{environment}.yaml");

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "PlatformOps.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The benchmark does not run from a clone of the repository.");
    }

    [GeneratedRegex(@"maxParallel: (?<number>\d+)", RegexOptions.ExplicitCapture)]
    private static partial Regex MaxParallel();
}
