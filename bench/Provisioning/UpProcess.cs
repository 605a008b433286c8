using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace PlatformOps.Bench.Provisioning;

/// <summary>One <c>platformops up</c> as a process of its own.</summary>
internal sealed class UpProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly Task drained;

    private UpProcess(Process process)
    {
        this.process = process;
        drained = process.StandardError.ReadToEndAsync();
    }

    public bool HasEnded => process.HasExited;

    public static string Program { get; } = Environment.GetEnvironmentVariable("PLATFORMOPS_PROGRAM")
        ?? throw new InvalidOperationException("PLATFORMOPS_PROGRAM is not set: start benchmarks with bench/run.");

    /// <summary>The environment is approved without a question where it wants an approval.</summary>
    public static UpProcess Start(BenchmarkOptions options, BenchSpecification specification, string data) => new(Run(["up", .. Words(options, specification, data)]));

    /// <summary>The same world, with nobody who carries the run out: for somebody else to fill.</summary>
    public static async Task<UpProcess> StartEmptyAsync(BenchmarkOptions options, BenchSpecification specification, string data)
    {
        var up = new UpProcess(Run(["up", "--no-worker", .. Words(options, specification, data)]));
        while (!File.Exists(Path.Combine(data, "running.json")))
        {
            if (up.HasEnded)
                throw new InvalidOperationException("up has ended before it announced itself.");
            await Task.Delay(5);
        }

        return up;
    }

    public static Process Run(params string[] args) =>
        Process.Start(new ProcessStartInfo(Program, args) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static string[] Words(BenchmarkOptions options, BenchSpecification specification, string data) =>
        [
            options.Environment, "--approve", "--data", data, "--port", "0", "--output", "json", "--specification", specification.Folder,
            "--time-scale", options.Pace.ToString(CultureInfo.InvariantCulture),
        ];

    /// <summary>Waits until it says what became of the environment.</summary>
    /// <exception cref="InvalidOperationException">It is not healthy.</exception>
    public async Task<UpOutcome> OutcomeAsync()
    {
        var line = await process.StandardOutput.ReadLineAsync();
        var outcome = line is null ? default : JsonDocument.Parse(line).RootElement;
        if (line is null || outcome.GetProperty("outcome").GetString() != "healthy")
            throw new InvalidOperationException($"up did not become healthy: {line}");
        return outcome.Deserialize<UpOutcome>(JsonSerializerOptions.Web)!;
    }

    /// <summary>The most memory that it ever held, as the kernel counted.</summary>
    public double PeakMemoryMiB()
    {
        var line = File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return Math.Round(double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024, 1);
    }

    public async Task EndAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"up ended with {process.ExitCode}.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        await drained;
        process.Dispose();
    }
}

/// <summary>What <c>up --output json</c> says at its end.</summary>
/// <param name="Seconds">Since the start of its process.</param>
/// <param name="MutatingCalls">Calls to the platform that may have changed something.</param>
/// <param name="ReadCalls">Calls of the Kubernetes APIs that changed nothing.</param>
internal sealed record UpOutcome(double Seconds, int Components, int Objects, long MutatingCalls, long ReadCalls);
