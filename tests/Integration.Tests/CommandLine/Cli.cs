using System.Diagnostics;
using System.Text.Json;

namespace PlatformOps.Integration.Tests.CommandLine;

/// <summary>Runs the real executable as somebody at a shell would, with a home of its own and no Temporal configuration.</summary>
internal sealed class Cli : IDisposable
{
    private readonly Dictionary<string, string?> environment;

    public Cli() => environment = new()
    {
        ["XDG_STATE_HOME"] = Home,
        ["XDG_CONFIG_HOME"] = Home,
        ["HOME"] = Home,
        ["NO_COLOR"] = "1",
        ["PLATFORMOPS_SPECIFICATION"] = null,
        ["PLATFORMOPS_CATALOG"] = null,
    };

    /// <summary>An empty directory that is gone after the test.</summary>
    public string Home { get; } = Directory.CreateTempSubdirectory("platformops-test-").FullName;

    /// <summary>An environment variable for everything that is started from now on.</summary>
    public string this[string variable]
    {
        set => environment[variable] = value;
    }

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "platformops.dll");

    /// <summary>Runs to the end.</summary>
    public async Task<CliResult> RunAsync(params string[] args)
    {
        using var running = Start(args);
        return await running.EndAsync();
    }

    public RunningCli Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Program, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("TEMPORAL_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new RunningCli(start);
    }

    public void Dispose() => Directory.Delete(Home, recursive: true);
}

/// <summary>What a command has said when it had ended.</summary>
internal sealed record CliResult(int ExitCode, string Output, string Error)
{
    /// <summary>The last line of standard output, which has to be one JSON object.</summary>
    public JsonElement Json => Parse(Output, Error);

    /// <summary>The last line of standard error, which has to be one JSON object.</summary>
    public JsonElement JsonError => Parse(Error, Output);

    private static JsonElement Parse(string text, string other)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length > 0, $"Nothing was written, but: {other}");
        return JsonSerializer.Deserialize<JsonElement>(lines[^1]);
    }
}
