namespace PlatformOps.Starter.CommandLine;

/// <summary>The directories that commands work with, absolute.</summary>
/// <param name="Data">The state of <c>up</c>.</param>
/// <param name="Specification">The platform specification.</param>
/// <param name="Catalog">The component catalog.</param>
internal sealed record Locations(string Data, string Specification, string Catalog)
{
    /// <summary>Takes what was typed, then the environment, then the defaults.</summary>
    public static Locations From(string? data, string? specification, string? catalog)
    {
        var home = Home();
        return new Locations(
            Path.GetFullPath(data ?? Path.Combine(StateHome(), "platformops")),
            Path.GetFullPath(specification ?? Setting("PLATFORMOPS_SPECIFICATION") ?? Path.Combine(home, "examples", "reference")),
            Path.GetFullPath(catalog ?? Setting("PLATFORMOPS_CATALOG") ?? Path.Combine(home, "k8s", "components")));
    }

    /// <summary>The folder that holds <c>k8s/components</c>: the nearest above the program, else the current one.</summary>
    private static string Home()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.Exists(Path.Combine(folder, "k8s", "components")))
                return folder;
        }

        return Directory.GetCurrentDirectory();
    }

    private static string StateHome() =>
        Setting("XDG_STATE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");

    private static string? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
