using System.Diagnostics;
using System.Text.Json.Nodes;

namespace PlatformOps.Bench;

/// <summary>A demo of the program that is measured.</summary>
internal static class Demo
{
    /// <summary>Runs it to its end.</summary>
    /// <returns>What it measured.</returns>
    public static async Task<JsonNode> MeasuredAsync(string name, params string[] options)
    {
        var program = Environment.GetEnvironmentVariable("PLATFORMOPS_PROGRAM") ?? throw new InvalidOperationException("Start it with bench/run.");
        using var process = Process.Start(new ProcessStartInfo(program, ["demo", name, "--output", "json", .. options]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var complained = process.StandardError.ReadToEndAsync();
        var said = (await process.StandardOutput.ReadToEndAsync()).TrimEnd().Split('\n');
        await process.WaitForExitAsync();
        return process.ExitCode == 0 && JsonNode.Parse(said[^1])?["measured"] is { } measured ? measured : throw new InvalidOperationException($"The demo ended with {process.ExitCode}: {said[^1]} {await complained}");
    }
}
