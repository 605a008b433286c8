using System.Globalization;

namespace PlatformOps.Guard.Postgres;

/// <summary>
/// Tells a program that works from one that waits for ever: a clone whose primary keeps the connection and says nothing more (a frozen process, a full disk behind it) is ended by no
/// timeout of its own. What counts is that the kernel has the program run and wait at all;
/// how much it reads says nothing while it flushes files or waits for a checkpoint.
/// </summary>
internal static class StandstillWatch
{
    /// <summary>How long a program may stand in one single wait. The longest that is good is that for the checkpoint at the beginning of a clone, which is asked for as a fast one.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    /// <summary>Looks until cancelled, or until the process has not run for <see cref="Longest"/>.</summary>
    /// <returns>True: it stands still. False: it is gone.</returns>
    public static async Task<bool> UntilStillAsync(int process, TimeProvider clock, CancellationToken ct)
    {
        var (seen, since) = (Switches(process), clock.GetTimestamp());
        while (seen is not null)
        {
            await Task.Delay(Look, clock, ct);
            var now = Switches(process);
            if (now != seen)
                (seen, since) = (now, clock.GetTimestamp());
            else if (clock.GetElapsedTime(since) >= Longest)
                return true;
        }

        return false;
    }

    /// <summary>How often the kernel has put it aside (proc(5), <c>/proc/PID/status</c>), and the programs that it has begun and waits for: <c>pg_rewind</c> has a server end its recovery first. Not the
    /// processes that are the same program: what receives the log beside <c>pg_basebackup</c> goes on when the copy stands still. Null: it is gone.</summary>
    private static long? Switches(int process)
    {
        if (Name(process) is not { } name || Of(process) is not { } own)
            return null;
        var begun = Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && id != process).Select(id => (Id: id, Parent: Field(id, "PPid:"))).Where(entry => entry.Parent is not null).ToLookup(entry => (int)entry.Parent!, entry => entry.Id);
        return own + Below(process);

        long Below(int parent) => begun[parent].Where(child => Name(child) != name).Sum(child => (Of(child) ?? 0) + Below(child));
    }

    private static long? Of(int process) => Field(process, "voluntary_ctxt_switches:") is { } waited && Field(process, "nonvoluntary_ctxt_switches:") is { } interrupted ? waited + interrupted : null;

    private static long? Field(int process, string field) => Line(process, field) is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? Name(int process) => Line(process, "Name:");

    /// <summary>Null: there is no such process.</summary>
    private static string? Line(int process, string field)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal))?[field.Length..].Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
