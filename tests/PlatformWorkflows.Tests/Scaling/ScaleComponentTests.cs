using PlatformOps.Platform.Scaling;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>A number that is asked for: when it is set, taken back, and left to somebody else.</summary>
public sealed class ScaleComponentTests(SkippingRunbookServer skipping, RunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    [Fact]
    public async Task Scales_and_says_what_it_did_to_the_signals()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new(), new() { Replicas = 5 });
        var report = await run.ReportAsync();

        Assert.Equal(["3 to 5"], run.World.Events);
        Assert.Equal((ScaleOutcome.Scaled, 3, 5, 5, "web has 5 replicas in us-east-1, and all are ready."), (report.Outcome, report.From, report.To, report.Now, report.Summary));
        Assert.Equal(new("cpu", "%", 60, 50, 30), report.Signals[0]);
        Assert.Equal("the sale", run.World.Because);
        Assert.Null(run.World.Temporary);
        Assert.Equal(StepState.Done, (await run.StatusAsync()).Steps.Single().State);
    }

    [Fact]
    public async Task A_number_outside_of_the_range_is_refused_before_anything_is_changed()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new(), new() { Replicas = 11 });
        var report = await run.ReportAsync();

        Assert.Equal((ScaleOutcome.Refused, "Refused: 11 is outside of the range 1..10 that the specification gives web (scaling.web). Nothing was changed."), (report.Outcome, report.Summary));
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task A_number_that_can_never_be_changed_is_refused_with_the_reason()
    {
        await using var run = await ScaleRun.StartAsync(
            skipping, new() { Immutable = "Workflow executions are spread over the shards by a hash." }, new() { Replicas = 1024, Parameter = "historyShards" });

        Assert.Equal("Refused: historyShards of web can be set once and never be changed: Workflow executions are spread over the shards by a hash. Nothing was changed.", (await run.ReportAsync()).Summary);
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task Pools_that_would_not_fit_are_refused_with_the_sum()
    {
        await using var run = await ScaleRun.StartAsync(
            skipping, new() { Around = _ => new() { Connections = new(100, [new("web", 3, 20), new("api", 1, 20)]) } }, new() { Replicas = 5 });

        Assert.StartsWith("Refused: With 5 replicas the pools need web 5 x 20 + api 1 x 20 = 120 connections, and the database accepts 100", (await run.ReportAsync()).Summary, StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task What_makes_a_signal_miss_its_target_is_taken_back()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new() { Signals = replicas => (150.0 / replicas, replicas > 4 ? 500 : 20) }, new() { Replicas = 5 });
        var report = await run.ReportAsync();

        Assert.Equal(["3 to 5", "5 to 3"], run.World.Events);
        Assert.Equal((ScaleOutcome.Returned, "database was 20ms with 3 and is 500ms with 5 (target 100ms). There are 3 again."), (report.Outcome, report.Summary));
    }

    [Fact]
    public async Task Fewer_that_are_too_few_are_taken_back()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new(), new() { Replicas = 2 });

        Assert.Equal((ScaleOutcome.Returned, "cpu was 50% with 3 and is 75% with 2 (target 60%). There are 3 again."), (await run.ReportAsync()) is var report ? (report.Outcome, report.Summary) : default);
        Assert.Equal(["3 to 2", "2 to 3"], run.World.Events);
    }

    [Fact]
    public async Task What_was_missed_before_or_is_unknown_is_not_held_against_it()
    {
        await using var missed = await ScaleRun.StartAsync(skipping, new() { Signals = replicas => (90, 500) }, new() { Replicas = 5 });
        Assert.Equal(ScaleOutcome.Scaled, (await missed.ReportAsync()).Outcome);
        await using var unknown = await ScaleRun.StartAsync(skipping, new() { Signals = replicas => (null, replicas > 4 ? null : 20) }, new() { Replicas = 5 });
        Assert.Equal(ScaleOutcome.Scaled, (await unknown.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Replicas_that_do_not_become_ready_are_taken_back()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new() { ReadyAtMost = 4 }, new() { Replicas = 5, HealthyWithin = "2m" });

        Assert.Equal((ScaleOutcome.Returned, "Not within 2m: 4 of 5 are ready. There are 3 again."), (await run.ReportAsync()) is var report ? (report.Outcome, report.Summary) : default);
        Assert.Equal(["3 to 5", "5 to 3"], run.World.Events);
    }

    [Fact]
    public async Task A_number_for_a_while_ends_by_itself()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new(), new() { Replicas = 5, For = "2h" });
        var report = await run.ReportAsync();

        Assert.Equal(["3 to 5", "5 to 3"], run.World.Events);
        Assert.Equal((ScaleOutcome.Ended, "Its time is over: the sale. There are 3 again."), (report.Outcome, report.Summary));
        Assert.InRange(report.FinishedAt - report.StartedAt, TimeSpan.FromHours(2), TimeSpan.FromHours(2.1));
        Assert.Null(run.World.Temporary);
    }

    [Fact]
    public async Task It_ends_also_when_no_worker_was_there_at_the_time()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new(), new() { Replicas = 5, For = "2h", WatchFor = "1s" });
        await run.UntilAsync(status => status.WaitingFor?.For.StartsWith("the end of its time", StringComparison.Ordinal) == true);
        await run.StopWorkerAsync();
        await skipping.Environment.DelayAsync(TimeSpan.FromHours(3));
        Assert.Equal(5, run.World.Replicas);
        run.StartWorker();

        Assert.Equal(ScaleOutcome.Ended, (await run.ReportAsync()).Outcome);
        Assert.Equal(["3 to 5", "5 to 3"], run.World.Events);
    }

    [Fact]
    public async Task What_somebody_else_has_set_meanwhile_is_left()
    {
        await using var run = await ScaleRun.StartAsync(server, new(), new() { Replicas = 5, For = "5m", WatchFor = "1s" });
        await run.UntilAsync(status => status.WaitingFor?.For.StartsWith("the end of its time", StringComparison.Ordinal) == true);
        run.World.Replicas = 7;
        await run.TellAsync("abort", new AbortInput("over early"));

        Assert.Equal((ScaleOutcome.Superseded, "Aborted: over early. Somebody else has set 7 meanwhile, which is left as it is."), (await run.ReportAsync()) is var report ? (report.Outcome, report.Summary) : default);
        Assert.Equal(["3 to 5"], run.World.Events);
    }

    [Fact]
    public async Task What_a_dead_run_left_for_a_while_comes_back_to_the_number_of_before_it()
    {
        var world = new FakeScaling();
        await using (var died = await ScaleRun.StartAsync(server, world, new() { Replicas = 5, For = "5m", WatchFor = "1s" }))
        {
            await died.UntilAsync(status => status.WaitingFor?.For.StartsWith("the end of its time", StringComparison.Ordinal) == true);
            await died.Handle.TerminateAsync("a mistake");
        }

        await using var run = await ScaleRun.StartAsync(skipping, world, new() { Replicas = 6, For = "1h" });
        Assert.Equal(ScaleOutcome.Ended, (await run.ReportAsync()).Outcome);
        Assert.Equal(["3 to 5", "5 to 6", "6 to 3"], world.Events);
    }

    [Fact]
    public async Task It_waits_until_workers_are_done_and_takes_those_that_do_nothing()
    {
        WorkerLoad busy = new(1, 0, 0), idle = new(0, 0, 0);
        await using var run = await ScaleRun.StartAsync(
            skipping,
            new()
            {
                How = new("replicas", new("Deployment", "web", "shop"), [], TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(2), 100, 10, Tasks: new("orders", "orders")),
                Around = looks => new() { Tasks = new(new Dictionary<string, WorkerLoad> { ["web-0"] = busy, ["web-1"] = looks > 4 ? idle : busy, ["web-2"] = busy }) },
            },
            new() { Replicas = 2 });

        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
        Assert.Equal(["3 to 2 without web-1"], run.World.Events);
        Assert.True(run.World.Looks > 4);
    }

    [Fact]
    public async Task A_node_of_Elasticsearch_is_emptied_before_it_goes_and_the_others_take_shards_again()
    {
        await using var run = await ScaleRun.StartAsync(skipping, Search(), new() { Replicas = 4 });

        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
        Assert.Equal(["empty web-4", "5 to 4", "empty nobody"], run.World.Events);
    }

    /// <summary>Five nodes of Elasticsearch, of which the last one is emptied when it is told to.</summary>
    internal static FakeScaling Search() => new()
    {
        Replicas = 5,
        How = new("replicas", new("StatefulSet", "web", "shop"), [], TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(2), 100, 10, Shards: true),
        Around = looks => new() { Search = looks < 3 ? Nodes(3, "") : looks < 5 ? Nodes(1, "web-4") : Nodes(0, "web-4") },
    };

    [Fact]
    public async Task What_a_run_that_was_killed_did_to_a_node_is_finished_or_taken_back_by_the_next_one()
    {
        // Killed between the exclusion and the removal of the node.
        var world = Search();
        await using (var died = await ScaleRun.StartAsync(server, world, new() { Replicas = 4 }))
        {
            await died.UntilAsync(_ => world.Events.Contains("empty web-4"));
            await died.Handle.TerminateAsync("a mistake");
        }

        await using (var next = await ScaleRun.StartAsync(skipping, world, new() { Replicas = 4 }))
            Assert.Equal(ScaleOutcome.Scaled, (await next.ReportAsync()).Outcome);
        Assert.Equal(["5 to 4", "empty nobody"], world.Events.Except(["empty web-4"]));

        // Killed after the removal: whoever comes back under that name is to hold shards again.
        var removed = new FakeScaling { Replicas = 4, How = Search().How, Around = _ => new() { Search = Nodes(0, "web-4") } };
        await using var more = await ScaleRun.StartAsync(skipping, removed, new() { Replicas = 5 });
        Assert.Equal(ScaleOutcome.Scaled, (await more.ReportAsync()).Outcome);
        Assert.Equal(["4 to 5", "empty nobody"], removed.Events);

        // People want it to stay after all.
        var stays = new FakeScaling { Replicas = 5, How = Search().How, Around = _ => new() { Search = Nodes(2, "web-4") } };
        await using var same = await ScaleRun.StartAsync(skipping, stays, new() { Replicas = 5 });
        Assert.Equal(ScaleOutcome.AsWanted, (await same.ReportAsync()).Outcome);
        Assert.Equal(["empty nobody"], stays.Events);
        // Somebody else's nodes are nobody's business here, nor is one that a run would not have begun with.
        foreach (var node in new[] { "others-4", "web-1" })
        {
            var foreign = new FakeScaling { Replicas = 5, How = Search().How, Around = _ => new() { Search = Nodes(2, node) } };
            await using var left = await ScaleRun.StartAsync(skipping, foreign, new() { Replicas = 5 });
            Assert.Equal(ScaleOutcome.AsWanted, (await left.ReportAsync()).Outcome);
            Assert.Empty(foreign.Events);
        }
    }

    private static SearchNodes Nodes(int shards, string emptied) =>
        new("green", Enumerable.Range(0, 5).ToDictionary(ordinal => $"web-{ordinal}", ordinal => new SearchNode(ordinal == 4 ? shards : 2, 1L << 30)), [emptied]);

    [Fact]
    public async Task It_waits_for_approval_where_the_guard_rails_want_it()
    {
        await using var run = await ScaleRun.StartAsync(server, new() { GuardRails = new(1, 1, false, TimeSpan.FromHours(1)) }, new() { Replicas = 5, WatchFor = "1s" });
        var asked = await run.UntilAsync(status => status.Phase == RunbookPhase.AwaitingApproval);
        Assert.StartsWith("web of us-east-1: from 3 to 5 replicas.", asked.Summary, StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
        await run.TellAsync("approve", new ApproveInput(asked.PlanHash, "ada"));
        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_got_lost_changes_nothing_twice(bool afterEffect)
    {
        await using var run = await ScaleRun.StartAsync(skipping, new FakeScaling().Fail(afterEffect), new() { Replicas = 5 });

        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
        Assert.Equal(["3 to 5"], run.World.Events);
    }

    [Fact]
    public async Task What_may_not_be_written_parks_it_until_somebody_has_allowed_it()
    {
        await using var run = await ScaleRun.StartAsync(server, new FakeScaling().Fail(false, FailureTypes.Forbidden), new() { Replicas = 5, WatchFor = "1s" });
        var parked = await run.UntilAsync(status => status.Phase == RunbookPhase.Parked);
        Assert.Contains("The API server does not answer.", parked.Summary, StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput("web@us-east-1"));

        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
        Assert.Equal(["3 to 5"], run.World.Events);
    }

    [Fact]
    public async Task A_plan_changes_nothing()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new(), new() { Replicas = 5, Mode = RunbookMode.Plan });

        Assert.Equal((ScaleOutcome.Planned, "web of us-east-1: from 3 to 5 replicas. 5 were asked for."), (await run.ReportAsync()) is var report ? (report.Outcome, report.Summary) : default);
        Assert.Empty(run.World.Events);
    }

    [Theory]
    [InlineData("""{"environment":"e"}""", "Field 'component' is missing")]
    [InlineData("""{"environment":"e","component":"c"}""", "Field 'region' is missing")]
    [InlineData("""{"environment":"e","component":"c","region":"r"}""", "Field 'reason' is missing")]
    [InlineData("""{"environment":"e","component":"c","region":"r","reason":"x"}""", "Field 'replicas' is missing: how many there are to be")]
    [InlineData("""{"environment":"e","component":"c","region":"r","reason":"x","replicas":"5"}""", "Field 'replicas' has a value of the wrong kind")]
    [InlineData("""{"environment":"e","component":"c","region":"r","reason":"x","replicas":-1}""", "Field 'replicas' is -1")]
    [InlineData("""{"environment":"e","component":"c","region":"r","reason":"x","replicas":5,"instanceClass":"db.r6g.large"}""", "Field 'instanceClass' stands beside 'replicas' or 'parameter'.")]
    [InlineData("""{"environment":"e","component":"c","region":"r","reason":"x","replicas":5,"until":"soon"}""", "Field 'until' is 'soon'. A time in UTC is expected")]
    [InlineData("""{"environment":"e","component":"c","region":"r","reason":"x","replicas":5,"until":"2020-01-01T00:00:00Z"}""", "Field 'until' is '2020-01-01T00:00:00Z'. A time from now")]
    [InlineData("""{"environment":"e","component":"c","region":"r","reason":"x","replicas":5,"until":"2027-01-01T00:00:00Z","for":"1h"}""", "Fields 'for' and 'until' are both given.")]
    [InlineData("""{"environment":"e","component":"c","region":"r","reason":"x","replicas":5,"force":true}""", "Unknown field 'force'.")]
    public async Task Names_the_field_of_bad_input(string input, string expected)
    {
        await using var run = await ScaleRun.StartAsync(server, new(), $"scale/{Guid.NewGuid():N}", System.Text.Json.JsonDocument.Parse(input).RootElement);

        Assert.StartsWith(expected, await run.FailureAsync(), StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
    }
}
