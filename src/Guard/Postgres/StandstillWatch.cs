using System.Globalization;

namespace PlatformOps.Guard.Postgres;

/// <summary>
/// Tells a program that works from one that waits for ever: a clone whose primary keeps the connection and says nothing more (a frozen process, a full disk behind it) is ended by no
/// timeout of its own. What counts is that the kernel has the program run and wait at all; how much it reads says nothing while it flushes files or waits for a checkpoint.
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

    /// <summary>How often the kernel has put it aside (proc(5), <c>/proc/PID/status</c>); null: it is gone.</summary>
    private static long? Switches(int process)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/status").Where(line => line.Contains("ctxt_switches:", StringComparison.Ordinal))
                .Sum(line => long.Parse(line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
