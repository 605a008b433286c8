using System.Diagnostics;
using System.Text.Json;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Connection;

/// <summary>What a running <c>up</c> tells other commands, in <c>running.json</c> of its data directory.</summary>
/// <param name="Address">Its bootstrap server, <c>host:port</c>.</param>
/// <param name="TaskQueue">Where runs are started and its worker polls.</param>
/// <param name="Environment">The environment that it provisions.</param>
/// <param name="Specification">The specification folder that it was started with.</param>
/// <param name="Catalog">The catalog folder that it was started with.</param>
internal sealed record RunningInstance(
    int ProcessId, DateTimeOffset StartedAt, string Address, string TaskQueue, string Environment, string Specification, string Catalog)
{
    private const string FileName = "running.json";

    /// <summary>The instance that runs on a data directory, or null when none does.</summary>
    public static RunningInstance? Find(string data) =>
        Last(data) is { } instance && instance.IsAlive() ? instance : null;

    /// <summary>What the latest instance wrote, running or not; null when there was none.</summary>
    public static RunningInstance? Last(string data)
    {
        var file = Path.Combine(data, FileName);
        if (!File.Exists(file))
            return null;
        try
        {
            return JsonSerializer.Deserialize<RunningInstance>(File.ReadAllText(file), JsonOutput.Compact);
        }
        catch (JsonException)
        {
            // Not ours or damaged: as good as none, the next instance writes it anew.
            return null;
        }
    }

    /// <summary>Makes the instance known. The file appears whole or not at all.</summary>
    public void Announce(string data)
    {
        var file = Path.Combine(data, FileName);
        var draft = $"{file}.{ProcessId}";
        File.WriteAllText(draft, JsonSerializer.Serialize(this, JsonOutput.Indented));
        File.Move(draft, file, overwrite: true);
    }

    /// <summary>A process id alone may have been given to another program since: the start time has to fit as well.</summary>
    private bool IsAlive()
    {
        try
        {
            using var process = Process.GetProcessById(ProcessId);
            return Math.Abs((process.StartTime.ToUniversalTime() - StartedAt.UtcDateTime).TotalSeconds) < 2;
        }
        catch (ArgumentException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
