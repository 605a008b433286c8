using PlatformOps.Platform.Scaling;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>Numbers that follow signals: what changes them, and what keeps them.</summary>
public sealed class AutoscaleTests(SkippingRunbookServer skipping, RunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    [Fact]
    public async Task Follows_a_surge_at_once_and_its_end_after_a_while_through_several_runs()
    {
        // At the target of 60% each carries 60: three are right, then eight, then three again.
        await using var run = await ScaleRun.AutoscaleAsync(skipping, new() { Busy = (look, replicas) => (look is > 20 and < 220 ? 470.0 : 170.0) / replicas });
        await skipping.Environment.DelayAsync(TimeSpan.FromHours(4));
        var decisions = await run.DecisionsAsync();

        Assert.Equal("3 to 6", run.World.Events.First());
        Assert.Equal((3, 0), (run.World.Replicas, decisions.Oscillations));
        Assert.Equal(run.World.Events, decisions.Changes.Select(change => $"{change.From} to {change.To}"));
        Assert.StartsWith("cpu is 156.67% (target 60%): 8 are wanted; 6 is as far as one step goes.", decisions.Changes[0].Why, StringComparison.Ordinal);
        Assert.InRange(decisions.Changes[1].At - decisions.Changes[0].At, TimeSpan.FromSeconds(29), TimeSpan.FromMinutes(1));
        Assert.True(decisions.Changes.Where(change => change.To < change.From).Min(change => change.At) - decisions.Changes.Where(change => change.To > change.From).Max(change => change.At) > run.World.How.Stabilize);
        Assert.Equal("cpu is 56.67% (target 60%): 3 are right.", Assert.Single(decisions.Latest).Why);
        // It has been continued as new at least twice, and has lost nothing.
        Assert.True(run.World.AutoscalerLooks > 400, $"{run.World.AutoscalerLooks} looks");
        var report = await run.StopAsync();
        Assert.Equal((AutoscaleOutcome.Stopped, decisions.ChangeCount), (report.Outcome, report.Decisions.ChangeCount));
    }

    [Fact]
    public async Task What_is_unknown_or_cannot_be_asked_takes_nothing_away_and_ends_nothing()
    {
        await using var run = await ScaleRun.AutoscaleAsync(skipping, new() { Busy = (look, replicas) => look > 5 ? null : 10 });
        await skipping.Environment.DelayAsync(TimeSpan.FromHours(1));
        run.World.Away = true;
        await skipping.Environment.DelayAsync(TimeSpan.FromMinutes(5));
        Assert.StartsWith("Nothing can be seen, and nothing is changed: The API server does not answer.", (await run.StatusAsync()).Summary, StringComparison.Ordinal);
        run.World.Away = false;
        await skipping.Environment.DelayAsync(TimeSpan.FromMinutes(5));

        Assert.Empty(run.World.Events);
        Assert.Contains("cpu is unknown", Assert.Single((await run.DecisionsAsync()).Latest).Why, StringComparison.Ordinal);
        await run.StopAsync();
    }

    [Fact]
    public async Task Others_have_no_room_for_it_and_that_is_said()
    {
        await using var run = await ScaleRun.AutoscaleAsync(
            server, new() { Busy = (_, replicas) => 90, Around = _ => new() { Connections = new(100, [new("web", 3, 20), new("api", 1, 20)]) } });
        var decision = (await run.UntilDecidedAsync(decisions => decisions.Latest.Count > 0)).Latest[0];

        Assert.Equal((ScalingVerdict.Refuse, 3), (decision.Verdict, decision.To));
        Assert.Contains("web 5 x 20 + api 1 x 20 = 120 connections", decision.Why, StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
        Assert.Equal(StepState.Blocked, (await run.StatusAsync()).Steps.Single().State);
    }

    [Fact]
    public async Task Keeps_the_number_while_it_is_paused()
    {
        await using var run = await ScaleRun.AutoscaleAsync(server, new() { Busy = (look, replicas) => look > 1 ? 170.0 / replicas * 2 : 56 });
        await run.UntilDecidedAsync(decisions => decisions.Latest.Count > 0);
        Assert.StartsWith("Field 'component': nobody is not scaled by signals. Possible: web@us-east-1.", await run.RefusalAsync("pause", new PauseInput("nobody", "x")), StringComparison.Ordinal);
        await run.TellAsync("pause", new PauseInput("web", "an experiment"));
        var paused = await run.UntilDecidedAsync(decisions => decisions.Latest[0].Why.StartsWith("Paused: an experiment. Otherwise: cpu is", StringComparison.Ordinal));
        Assert.Empty(paused.Changes);
        await run.TellAsync("resume", new PauseInput("web"));
        await run.UntilDecidedAsync(decisions => decisions.Changes.Count > 0);
        Assert.Equal("3 to 6", run.World.Events.First());
    }

    [Fact]
    public async Task One_update_sets_another_number_for_a_while()
    {
        await using var run = await ScaleRun.AutoscaleAsync(skipping, new() { Busy = (_, replicas) => 170.0 / replicas });
        await run.UntilDecidedAsync(decisions => decisions.Latest.Count > 0);
        Assert.StartsWith("Field 'replicas' is missing", await run.RefusalAsync("override", new OverrideInput("web", "us-east-1", null, "x")), StringComparison.Ordinal);
        Assert.StartsWith("Fields 'component' and 'region': web@mars is not scaled", await run.RefusalAsync("override", new OverrideInput("web", "mars", 7, "x")), StringComparison.Ordinal);
        await run.TellAsync("override", new OverrideInput("web", "us-east-1", 7, "the sale", "2h"));
        await run.UntilDecidedAsync(decisions => decisions.Changes.Count > 0);
        Assert.Equal(["3 to 7"], run.World.Events);
        await skipping.Environment.DelayAsync(TimeSpan.FromMinutes(100));
        Assert.Equal(7, run.World.Replicas);
        await skipping.Environment.DelayAsync(TimeSpan.FromMinutes(60));

        Assert.Equal(3, run.World.Replicas);
        await run.StopAsync();
    }

    [Fact]
    public async Task A_number_that_somebody_has_set_for_a_while_is_left_until_then()
    {
        await using var run = await ScaleRun.AutoscaleAsync(server, new() { Busy = (_, replicas) => 170, Temporary = new("op-by-hand", 2, DateTimeOffset.UtcNow.AddHours(1)) });

        Assert.StartsWith("op-by-hand wants this number until", (await run.UntilDecidedAsync(decisions => decisions.Latest.Count > 0)).Latest[0].Why, StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task A_node_of_Elasticsearch_is_handed_to_a_run_that_empties_it_first_without_anybody_s_approval()
    {
        var world = Handed();
        await using var run = await ScaleRun.AutoscaleAsync(server, world);
        await Wait.UntilAsync(() => Task.FromResult(world.Replicas), replicas => replicas == 4, replicas => $"{replicas}: {string.Join(", ", world.Events)}");

        Assert.Equal(["empty web-4", "5 to 4"], world.Events.Take(2));
    }

    /// <summary>Five nodes of Elasticsearch, more than the range allows, where people have to approve what people ask for.</summary>
    internal static FakeScaling Handed()
    {
        var search = ScaleComponentTests.Search();
        return new() { Replicas = 5, Range = new(1, 4), GuardRails = new(2, 1, false, TimeSpan.FromHours(1)), How = search.How with { Signals = [new("cpu", SignalKind.Average, "", 60, "%")] }, Around = search.Around };
    }

    [Theory]
    [InlineData("""{}""", "Field 'environment' is missing")]
    [InlineData("""{"environment":"e","every":"5m"}""", "Field 'every' is '5m'.")]
    [InlineData("""{"environment":"e","every":"1s"}""", "Field 'every' is '1s'. From 10s to 1m is expected")]
    [InlineData("""{"environment":"e","components":[]}""", "Field 'components' is empty.")]
    [InlineData("""{"environment":"e","force":true}""", "Unknown field 'force'.")]
    public async Task Names_the_field_of_bad_input(string input, string expected)
    {
        await using var run = await ScaleRun.StartAsync(server, new(), $"autoscale/{Guid.NewGuid():N}", System.Text.Json.JsonDocument.Parse(input).RootElement, nameof(Autoscale));

        Assert.StartsWith(expected, await run.FailureAsync(), StringComparison.Ordinal);
    }
}
