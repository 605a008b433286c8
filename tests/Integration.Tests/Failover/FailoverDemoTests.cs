using System.Text.Json;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The whole chain as a user sees it: real PostgreSQL, guards as processes, witness, alert receiver, bootstrap server, workers and the run, with clients that keep account.</summary>
public class FailoverDemoTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("NodeLost")]
    [InlineData("PostmasterKilled")]
    [InlineData("GuardKilled")]
    [InlineData("Switchover")]
    public async Task Nothing_that_was_acknowledged_is_lost_and_one_node_at_most_is_writable(string scenario)
    {
        var result = await RunAsync("--scenario", scenario);
        Assert.Equal(0, result.GetProperty("lost").GetInt32());
    }

    [Fact]
    public async Task What_is_lost_where_commits_do_not_wait_is_not_more_than_was_told()
    {
        var result = await RunAsync("--asynchronous");
        var told = result.TryGetProperty("reportedRows", out var rows) ? rows.GetInt32() : 0;
        Assert.InRange(result.GetProperty("lost").GetInt32(), 0, told);
    }

    [Fact]
    public async Task A_server_that_merely_ended_is_started_again_where_a_failover_would_lose_something()
    {
        var result = await RanAsync("--asynchronous", "--scenario", "PostmasterKilled");
        // A standby that happens to have everything takes its place, and one that does not when the restart takes too long.
        Assert.Contains(result.GetProperty("outcome").GetString(), new[] { "restartedInPlace", "completed" });
        var told = result.TryGetProperty("reportedRows", out var rows) ? rows.GetInt32() : 0;
        Assert.InRange(result.GetProperty("lost").GetInt32(), 0, told);
    }

    private async Task<JsonElement> RunAsync(params string[] options)
    {
        var result = await RanAsync(options);
        Assert.Equal("completed", result.GetProperty("outcome").GetString());
        Assert.InRange(result.GetProperty("ownSeconds").GetDouble(), 0.001, 60);
        Assert.True(result.GetProperty("phases").TryGetProperty("promote", out _));
        Assert.True(result.GetProperty("phases").TryGetProperty("rebuild", out _));
        return result;
    }

    private async Task<JsonElement> RanAsync(params string[] options)
    {
        Assert.SkipWhen(LocalPair.Binaries is null, "Install PostgreSQL (Debian: apt-get install postgresql) to run the tests on real servers.");
        using var cli = new Cli();
        var ran = await cli.RunAsync(["demo", "failover", "--output", "json", .. options]);
        output.WriteLine(ran.Error);
        output.WriteLine(ran.Output);
        Assert.True(ran.ExitCode == 0, ran.Error);
        var result = JsonDocument.Parse(ran.Output).RootElement;
        Assert.Equal(1, result.GetProperty("maxWritablePrimaries").GetInt32());
        Assert.InRange(result.GetProperty("acknowledged").GetInt32(), 500, int.MaxValue);
        return result;
    }
}
