using System.Diagnostics;
using System.Globalization;

namespace PlatformOps.Guard.Postgres;

/// <summary>Who the server and its programs run as: PostgreSQL refuses to run as root.</summary>
internal sealed class ServerUser
{
    private readonly string? name;
    private readonly uint user, group;

    /// <param name="configured">Null: <c>postgres</c> when we are root, else ourselves.</param>
    public ServerUser(string? configured)
    {
        if (Posix.CurrentUser() != 0)
            return;
        name = configured ?? "postgres";
        (user, group) = (Id("-u"), Id("-g"));
    }

    /// <summary>A command line that runs a program as this user.</summary>
    public IReadOnlyList<string> Run(params IEnumerable<string> command) =>
        name is null ? [.. command] : ["setpriv", $"--reuid={name}", $"--regid={group}", "--init-groups", .. command];

    /// <summary>Gives a file or directory to this user.</summary>
    public void Own(string path)
    {
        if (name is not null)
            Posix.Give(path, user, group);
    }

    private uint Id(string which)
    {
        using var process = Process.Start(new ProcessStartInfo("id", [which, name!]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return uint.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw new GuardException($"serverUser is '{name}': there is no such user here. Install PostgreSQL, or name the user that owns its data.");
    }
}
