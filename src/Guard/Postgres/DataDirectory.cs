using System.Globalization;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Postgres;

/// <summary>What can be seen of a server by looking at its files and processes.</summary>
internal sealed class DataDirectory(string path)
{
    public string Path => path;

    /// <summary>What is in it.</summary>
    public NodeData Content => !File.Exists(In("PG_VERSION")) ? NodeData.None : File.Exists(In("standby.signal")) ? NodeData.Standby : NodeData.Primary;

    /// <summary>The postmaster that the lock file names, if it lives; null: none does.</summary>
    public int? Postmaster()
    {
        try
        {
            return int.TryParse(File.ReadLines(In("postmaster.pid")).FirstOrDefault(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var written)
                && IsIn(Math.Abs(written)) ? Math.Abs(written) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The server says that it accepts connections.</summary>
    public bool Ready()
    {
        try
        {
            return File.ReadLines(In("postmaster.pid")).ElementAtOrDefault(7)?.Trim() == "ready";
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Every process of a server on this data, also those whose postmaster is dead, and the programs that write it: they stand in their data directory.</summary>
    public IReadOnlyList<int> Processes() =>
        [.. Directory.EnumerateDirectories("/proc").Select(folder => System.IO.Path.GetFileName(folder)).Where(name => name.All(char.IsAsciiDigit))
            .Select(name => int.Parse(name, CultureInfo.InvariantCulture)).Where(IsIn)];

    /// <summary>Removes the lock file of a server of which no process is left. A killed one stands in the process table until somebody collects it, and until
    /// then every program takes it for a running one.</summary>
    public void ForgetDead()
    {
        if (File.Exists(In("postmaster.pid")) && Processes().Count == 0)
            File.Delete(In("postmaster.pid"));
    }

    public string In(string name) => System.IO.Path.Combine(path, name);

    /// <summary>False also for one that is dead and not collected yet.</summary>
    private bool IsIn(int process)
    {
        try
        {
            return Directory.ResolveLinkTarget($"/proc/{process}/cwd", returnFinalTarget: false)?.FullName is { } at && (at == path || at == Real);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private string Real => Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
}
