using System.Text.Json;

namespace PlatformOps.Bench.Provisioning;

/// <summary>The steps of the run as its report has them.</summary>
internal sealed class Steps
{
    private readonly OrderedDictionary<string, IReadOnlyList<string>> dependencies = [];

    private Steps(JsonElement report)
    {
        var finished = report.GetProperty("startedAt").GetDateTimeOffset();
        foreach (var step in report.GetProperty("steps").EnumerateArray())
        {
            dependencies[step.GetProperty("name").GetString()!] = [.. step.GetProperty("dependsOn").EnumerateArray().Select(name => name.GetString()!)];
            var at = step.GetProperty("finishedAt").GetDateTimeOffset();
            finished = at > finished ? at : finished;
        }

        MakespanSeconds = Math.Round((finished - report.GetProperty("startedAt").GetDateTimeOffset()).TotalSeconds, 2);
    }

    public double MakespanSeconds { get; }

    /// <summary>By step: the steps that it waits for.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Dependencies => dependencies;

    /// <summary>In the plan's order, each once.</summary>
    public IEnumerable<string> Components => dependencies.Keys.Select(step => step.Split('@')[0]).Distinct();

    /// <summary>Asks the running <c>up</c>.</summary>
    public static async Task<Steps> ReadAsync(string environment, string data)
    {
        using var status = UpProcess.Run("status", environment, "--data", data, "--output", "json");
        var text = await status.StandardOutput.ReadToEndAsync();
        return new Steps(JsonDocument.Parse(text).RootElement.GetProperty("report"));
    }

    /// <summary>Less is not possible with so many steps at once: the critical path, or all of the work divided by them, whichever is longer.</summary>
    public double BoundSeconds(IReadOnlyDictionary<string, double> ready, int parallel) =>
        Math.Round(Math.Max(CriticalPathSeconds(ready), dependencies.Keys.Sum(step => ready.GetValueOrDefault(step)) / parallel), 2);

    /// <param name="ready">Seconds by step; what is missing is ready at once.</param>
    public double CriticalPathSeconds(IReadOnlyDictionary<string, double> ready)
    {
        var ends = new Dictionary<string, double>();
        return Math.Round(dependencies.Keys.Max(End), 2);

        double End(string step)
        {
            if (ends.TryGetValue(step, out var known))
                return known;
            var begins = dependencies[step].Select(End).DefaultIfEmpty(0).Max();
            return ends[step] = begins + ready.GetValueOrDefault(step);
        }
    }
}
