using System.ComponentModel;
using System.Diagnostics;

namespace PlatformOps.OtherSdks.Tests;

/// <summary>A program that runs to its end, with what it wrote.</summary>
internal sealed record ChildProcess(int ExitCode, IReadOnlyList<string> Lines, string Errors)
{
    private const int NotFound = 127;

    /// <summary>Runs a program; one that is not installed ends as in a shell, with 127. After <paramref name="patience"/> it is killed.</summary>
    public static async Task<ChildProcess> RunAsync(string program, IEnumerable<string> arguments, string folder, TimeSpan patience, Dictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            return new ChildProcess(NotFound, [], e.Message);
        }
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            using var giveUp = new CancellationTokenSource(patience);
            try
            {
                await process.WaitForExitAsync(giveUp.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
            return new ChildProcess(process.ExitCode, (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries), await errors);
        }
    }
}
