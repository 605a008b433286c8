using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Specifications;

/// <summary>The YAML files of a specification or catalog folder.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Texts">Text by path relative to the folder, with <c>/</c>.</param>
internal sealed record SourceFolder(string Path, IReadOnlyDictionary<string, string> Texts)
{
    /// <param name="what">What the folder is, for example <c>specification</c>; also the name of the option that states it.</param>
    /// <exception cref="CommandFailure">It does not exist or cannot be read.</exception>
    public static SourceFolder Read(string path, string what)
    {
        if (!Directory.Exists(path))
            throw new CommandFailure(
                ExitCode.Invalid, $"The {what} folder {path} does not exist.", $"It comes from --{what}, PLATFORMOPS_{what.ToUpperInvariant()} or the default.",
                $"Name the folder with --{what} DIR.");
        try
        {
            return new SourceFolder(path, Directory.EnumerateFiles(path, "*.yaml", SearchOption.AllDirectories)
                .ToDictionary(file => System.IO.Path.GetRelativePath(path, file).Replace('\\', '/'), File.ReadAllText));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(
                ExitCode.Invalid, $"The {what} folder {path} cannot be read.", failure.Message, "Correct its permissions.", failure);
        }
    }

    /// <summary>A file of the folder as somebody in the current directory would name it.</summary>
    public string NameOf(string file)
    {
        var absolute = System.IO.Path.Combine(Path, file);
        var relative = System.IO.Path.GetRelativePath(Directory.GetCurrentDirectory(), absolute);
        return relative.StartsWith("..", StringComparison.Ordinal) ? absolute : relative;
    }
}
