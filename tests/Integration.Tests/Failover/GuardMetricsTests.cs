using PlatformOps.Guard.Api;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What a guard says of its node to Prometheus.</summary>
public sealed class GuardMetricsTests
{
    private static readonly DatabaseNode Node = new() { Name = "us-east-1", Role = NodeRole.Primary, Writable = true, Fenced = false, Epoch = 7, Timeline = 3, ReceivedLsn = 12_345_678_901, Streaming = true };

    private static readonly ServerView View = new(Recovering: false, 3, 12_345_678_901, 12_345_678_901, Streaming: true, Synchronous: false, Marker: null, 7, StandbyLacks: 42);

    [Fact]
    public void What_is_known_is_said_in_full_digits_with_environment_and_region()
    {
        var text = GuardMetrics.Write("production", Node, View, TimeSpan.FromMilliseconds(812.5), sessions: 4);
        foreach (var line in new[] { "writable", "lease_seconds", "epoch", "wal_bytes", "receive_lag_bytes", "client_sessions" }.Zip(["1", "0.8125", "7", "12345678901", "42", "4"]))
            Assert.Contains($"\nplatformops_guard_{line.First}{{environment=\"production\",region=\"us-east-1\"}} {line.Second}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_unknown_has_no_sample_and_a_stopped_server_has_no_lag()
    {
        var text = GuardMetrics.Write("production", Node with { Role = NodeRole.Stopped, Writable = false, Streaming = null, ReceivedLsn = null }, View, TimeSpan.Zero, sessions: 0);
        Assert.Contains("platformops_guard_writable{environment=\"production\",region=\"us-east-1\"} 0\n", text, StringComparison.Ordinal);
        foreach (var name in new[] { "streaming", "wal_bytes", "receive_lag_bytes", "replay_lag_bytes", "marker_timestamp_seconds" })
            Assert.DoesNotContain($"platformops_guard_{name}", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_standby_says_what_it_has_not_replayed()
    {
        var text = GuardMetrics.Write("pro\"d\\", Node with { Role = NodeRole.Standby, Writable = false }, View with { Recovering = true, Received = 100, Replayed = 60, StandbyLacks = null }, TimeSpan.Zero, sessions: 0);
        Assert.Contains("platformops_guard_replay_lag_bytes{environment=\"pro\\\"d\\\\\",region=\"us-east-1\"} 40\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("receive_lag_bytes", text, StringComparison.Ordinal);
    }
}
