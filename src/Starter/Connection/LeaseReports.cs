using Microsoft.Extensions.Logging;
using PlatformOps.Adapters.Vault;
using Temporalio.Common;

namespace PlatformOps.Starter.Connection;

/// <summary>Tells of tokens and logins that Vault handed out to this worker: as metrics, and in its log when renewing or replacing one begins to fail, goes on to fail, or succeeds again. Names and labels are public: alert rules go by them.</summary>
/// <param name="meter">Of the worker.</param>
/// <param name="again">How long it is silent about a failure that goes on.</param>
internal sealed class LeaseReports(MetricMeter meter, ILogger log, TimeProvider clock, TimeSpan again)
{
    private readonly MetricGauge<long> ends = meter.CreateGauge<long>("platformops_lease_ends_seconds", "s", "When what Vault handed out ends unless it is renewed, in seconds since 1970; 0 while there is none.");
    private readonly MetricGauge<long> lives = meter.CreateGauge<long>("platformops_lease_life_seconds", "s", "For how long it was handed out first.");
    private readonly MetricCounter<long> failures = meter.CreateCounter<long>("platformops_lease_failures_total", "1", "Attempts to renew or to replace it that did not succeed.");
    private readonly Lock gate = new();
    private readonly Dictionary<(string Region, string Kind, string Role), DateTimeOffset> told = [];

    /// <summary>Takes what somebody tells of a lease.</summary>
    public void Hear(LeaseNews news)
    {
        var (what, state) = ((news.Region, news.Kind, news.Role), news.State);
        KeyValuePair<string, object>[] labels = [new("region", news.Region), new("kind", news.Kind), new("role", news.Role)];
        // What does not end needs no alert.
        if (state.Ends is null || (state.Life > TimeSpan.Zero && state.Ends != DateTimeOffset.MaxValue))
        {
            ends.Set(state.Ends?.ToUnixTimeSeconds() ?? 0, labels);
            // Without one there is no life to compare with: it counts as over.
            lives.Set(state.Ends is null ? 1 : (long)Math.Max(1, state.Life.TotalSeconds), labels);
        }

        if (state.Trouble is not null)
            failures.Add(1, labels);
        var now = clock.GetUtcNow();
        lock (gate)
        {
            var failing = told.TryGetValue(what, out var at);
            if (state.Trouble is { } trouble && (!failing || now - at >= again))
            {
                told[what] = now;
                log.LeaseIsFailing(news.Kind, news.Role, news.Region, state.Ends is { } end ? $"it is good until {end:u}" : "there is none", trouble);
            }
            else if (state.Trouble is null && told.Remove(what))
            {
                log.LeaseIsWell(news.Kind, news.Role, news.Region);
            }
        }
    }
}

internal static partial class LeaseReportsLog
{
    [LoggerMessage(EventId = 4101, Level = LogLevel.Warning, Message = "Vault's {Kind} by role {Role} in {Region} could not be renewed or replaced, {Left}: {Trouble}")]
    public static partial void LeaseIsFailing(this ILogger log, string kind, string role, string region, string left, string trouble);

    [LoggerMessage(EventId = 4102, Level = LogLevel.Information, Message = "Vault's {Kind} by role {Role} in {Region} is renewed again.")]
    public static partial void LeaseIsWell(this ILogger log, string kind, string role, string region);
}
