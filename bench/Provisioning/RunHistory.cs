using System.Text.Json;
using Temporalio.Client;

namespace PlatformOps.Bench.Provisioning;

/// <summary>How much history a provisioning run writes, with its children.</summary>
internal static class RunHistory
{
    /// <summary>Events of the latest run of an environment and of its children.</summary>
    /// <param name="data">The data directory of the <c>up</c> that is running.</param>
    public static async Task<long> EventsAsync(string environment, string data)
    {
        var client = await ConnectAsync(data);
        var events = 0L;
        await foreach (var run in client.ListWorkflowsAsync($"Environment = '{environment}'"))
            events += run.HistoryLength;
        return events;
    }

    /// <summary>Where the time of the latest run of an environment went.</summary>
    /// <param name="ready">Seconds by step.</param>
    public static async Task<RunProfile> ProfileAsync(string environment, string data, Steps steps, IReadOnlyDictionary<string, double> ready) =>
        await RunProfile.ReadAsync(await ConnectAsync(data), environment, steps.Dependencies, ready);

    private static async Task<TemporalClient> ConnectAsync(string data)
    {
        var address = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(data, "running.json"))).RootElement.GetProperty("address").GetString()!;
        return await TemporalClient.ConnectAsync(new(address));
    }
}
