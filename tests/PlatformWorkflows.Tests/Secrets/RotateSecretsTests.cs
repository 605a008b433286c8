using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.PlatformWorkflows.Tests.Secrets;

/// <summary>Several secrets at once.</summary>
public sealed class RotateSecretsTests(SkippingRunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    [Fact]
    public async Task Six_consumers_of_ten_secrets_are_restarted_once_each()
    {
        var secrets = new FakeSecrets([.. Enumerable.Range(0, 10).Select(number => $"s{number}")]) { Consumers = [.. Enumerable.Range(0, 6).Select(number => $"Deployment/c{number}")] };
        await using var run = await SecretRun.StartTogetherAsync(server, secrets);
        var report = await run.TogetherAsync();
        Assert.Equal((RotateSecretsOutcome.Rotated, "10 secrets are rotated with 6 restarts."), (report.Outcome, report.Summary));
        Assert.Equal(6, report.Restarts.Count);
        Assert.All(report.Restarts.Values, times => Assert.Equal(1, times));
        Assert.Equal(6, secrets.Events.Count(step => step.StartsWith("restart", StringComparison.Ordinal)));
        Assert.DoesNotContain(secrets.Events, step => step.Contains("refresh", StringComparison.Ordinal));
        Assert.Equal(10, secrets.Events.Count(step => step.EndsWith(": revoke", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_server_that_is_behind_is_waited_for_and_not_restarted()
    {
        await using var run = await SecretRun.StartTogetherAsync(server, new("a") { Behind = 2 });
        Assert.Equal(RotateSecretsOutcome.Rotated, (await run.TogetherAsync()).Outcome);
        Assert.Equal(["a: create", "a: set", "a: promote", "a: publish", "restart Deployment/jobs", "restart Deployment/web", "a: revoke"], run.Secrets.Events);
        Assert.Equal(0, run.Secrets.Behind);
    }

    [Fact]
    public async Task One_that_is_parked_does_not_hold_up_the_others_and_is_named()
    {
        await using var run = await SecretRun.StartTogetherAsync(server, new("a", "b") { Stranger = "Pod/debug", StrangersSecret = "b" }, input: new() { ParkedAtMost = "2h" });
        var report = await run.TogetherAsync();
        Assert.Equal(RotateSecretsOutcome.Incomplete, report.Outcome);
        Assert.Equal([RotationOutcome.Rotated, null], report.Secrets.Select(secret => secret.Outcome));
        Assert.Contains("Pod/debug uses the secret", report.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_what_is_due_and_changes_nothing_when_only_the_plan_is_asked_for_or_nothing_is_due()
    {
        await using var plan = await SecretRun.StartTogetherAsync(server, new("a", "b"), input: new() { Mode = RunbookMode.Plan });
        var planned = await plan.TogetherAsync();
        Assert.Equal((RotateSecretsOutcome.Planned, 2), (planned.Outcome, planned.Found.Count));
        Assert.Empty(plan.Secrets.Events);

        await using var idle = await SecretRun.StartTogetherAsync(server, new("a") { Due = false });
        Assert.Equal(RotateSecretsOutcome.NothingDue, (await idle.TogetherAsync()).Outcome);
        Assert.Empty(idle.Secrets.Events);
    }

    [Fact]
    public async Task Parks_when_sessions_do_not_end_in_time_and_gives_people_a_day()
    {
        var before = await server.Environment.GetCurrentTimeAsync();
        await using var run = await SecretRun.StartAsync(server, new() { Sessions = 3 }, input: new() { ProveWithin = "6h" });
        var failure = await run.FailureAsync();
        Assert.StartsWith("Nobody continued the parked run within 24h. Not proved within 6h: 3 sessions as shop are still open", failure, StringComparison.Ordinal);
        Assert.Contains("both are valid. Start the runbook again to go on.", failure, StringComparison.Ordinal);
        Assert.InRange((await server.Environment.GetCurrentTimeAsync() - before).TotalHours, 30, 31);
        Assert.InRange((await run.Handle.FetchHistoryAsync()).Events.Count, 1, 2000);
    }

    [Fact]
    public async Task Keeps_the_old_value_for_a_week_when_told_to_and_stays_short()
    {
        var before = await server.Environment.GetCurrentTimeAsync();
        await using var run = await SecretRun.StartAsync(server, new(), input: new() { Settle = "7d" });
        Assert.Equal(RotationOutcome.Rotated, (await run.ReportAsync()).Outcome);
        Assert.InRange((await server.Environment.GetCurrentTimeAsync() - before).TotalDays, 7, 7.1);
        Assert.InRange((await run.Handle.FetchHistoryAsync()).Events.Count, 1, 3000);
    }

    [Fact]
    public async Task Asks_somebody_when_one_step_is_lost_again_and_again()
    {
        var secrets = new FakeSecrets();
        for (var time = 0; time < 6; time++)
            secrets.Fail("set");
        await using var run = await SecretRun.StartAsync(server, secrets, input: new() { ParkedAtMost = "1s" });
        Assert.StartsWith("Nobody continued the parked run within 1s. set may not have happened: There was no answer in time.", await run.FailureAsync(), StringComparison.Ordinal);
    }
}
