using PlatformOps.Platform.Secrets;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Secrets;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Secrets;

/// <summary>Something leaked.</summary>
public sealed class LeakResponseTests(SkippingRunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    [Fact]
    public async Task Everything_in_reach_is_rotated_wave_by_wave_and_consumers_are_restarted_once_in_each()
    {
        var secrets = new FakeSecrets("token", "a", "b") { Reach = new([Reached("token", 0, opens: 2), Reached("a", 1), Reached("b", 1)], [], null) };
        await using var run = await StartAsync(secrets);
        var report = await ReportAsync(run);
        Assert.Equal((LeakOutcome.Contained, "All 3 secrets in reach of shop are rotated."), (report.Outcome, report.Summary));
        Assert.Equal(["a", "b", "token"], report.Rotated.Select(result => result.Secret.Name));
        Assert.Empty(report.NotRotated);
        Assert.Contains("audit logs", Assert.Single(report.ForPeople), StringComparison.Ordinal);
        var events = secrets.Events.ToList();
        Assert.True(events.IndexOf("token: revoke") < events.IndexOf("a: create"), string.Join(", ", events));
        // Two consumers, in two waves.
        Assert.Equal(4, events.Count(step => step.StartsWith("restart", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_is_stuck_is_named_at_the_deadline_with_its_reason_and_holds_nobody_up()
    {
        var secrets = new FakeSecrets("token", "a") { Reach = new([Reached("token", 0, opens: 1), Reached("a", 1)], ["Secret space/licence is rotated by nobody."], null), Stranger = "Pod/debug", StrangersSecret = "token" };
        var before = await server.Environment.GetCurrentTimeAsync();
        await using var run = await StartAsync(secrets, new() { Deadline = "1h" });
        var report = await ReportAsync(run);
        Assert.Equal(LeakOutcome.Incomplete, report.Outcome);
        Assert.Equal("1 of 2 secrets in reach of shop are not rotated, and 1 more nobody rotates.", report.Summary);
        Assert.Equal("a", Assert.Single(report.Rotated).Secret.Name);
        var missing = Assert.Single(report.NotRotated);
        Assert.Contains("Pod/debug uses the secret, and the catalog does not know it", missing.Summary, StringComparison.Ordinal);
        Assert.Equal(3, report.ForPeople.Count);
        Assert.Contains("token@us-east-1 may still be used by whoever has it", report.ForPeople[0], StringComparison.Ordinal);
        Assert.InRange((await server.Environment.GetCurrentTimeAsync() - before).TotalMinutes, 30, 61);
    }

    /// <summary>Otherwise whoever has it would have it until somebody comes.</summary>
    [Fact]
    public async Task What_leaked_and_nobody_is_found_to_use_is_revoked_all_the_same_and_named()
    {
        var secrets = new FakeSecrets("a") { Consumers = [], Reach = new([Reached("a", 0)], [], null) };
        await using var run = await StartAsync(secrets);
        var report = await ReportAsync(run);
        Assert.Equal(LeakOutcome.Contained, report.Outcome);
        Assert.Equal("a: revoke", secrets.Events.Last());
        Assert.Equal("shop leaked", Assert.Single(report.Rotated).NoConsumers);
        Assert.Contains(report.ForPeople, task => task.StartsWith("a@us-east-1 was rotated although nobody was found who uses it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_an_earlier_rotation_had_begun_is_ended_and_done_again()
    {
        var secrets = new FakeSecrets("a") { Reach = new([Reached("a", 0) with { Unfinished = true }], [], null) };
        await using var run = await StartAsync(secrets);
        Assert.Equal(LeakOutcome.Contained, (await ReportAsync(run)).Outcome);
        Assert.Equal(2, secrets.Events.Count(step => step == "a: create"));
    }

    [Fact]
    public async Task Only_says_what_is_reached_when_only_the_plan_is_asked_for()
    {
        var secrets = new FakeSecrets("a") { Reach = new([Reached("a", 0)], [], null) };
        await using var run = await StartAsync(secrets, new() { Mode = RunbookMode.Plan });
        var report = await ReportAsync(run);
        Assert.Equal((LeakOutcome.Planned, "shop reaches 1 secrets in 1 waves, and 0 that nobody rotates."), (report.Outcome, report.Summary));
        Assert.Empty(report.NotRotated);
        Assert.Empty(secrets.Events);
    }

    [Theory]
    [InlineData(null, null, null, "Exactly one of the fields 'path' and 'identity'")]
    [InlineData("a", "b", null, "Exactly one of the fields 'path' and 'identity'")]
    [InlineData("a", null, "1m", "Field 'deadline' is '1m': 5m to 24h is expected")]
    [InlineData("a", null, null, "Nobody knows it.")]
    public async Task Refuses_what_it_cannot_mean(string? path, string? identity, string? deadline, string expected)
    {
        await using var run = await SecretRun.StartAsync(server, new(), nameof(LeakResponse), $"leak/e-{Guid.NewGuid():N}", new LeakResponseInput { Environment = "development", Path = path, Identity = identity, Deadline = deadline });
        Assert.Contains(expected, (await Assert.ThrowsAsync<WorkflowFailedException>(() => ReportAsync(run))).InnerException!.Message, StringComparison.Ordinal);
    }

    internal static ReachedSecret Reached(string name, int wave, int opens = 0) => new("us-east-1", name, RotationKind.PostgresqlUsers, wave, opens, "It leaked.", ["space/Deployment/web"], false);

    private Task<SecretRun> StartAsync(FakeSecrets secrets, LeakResponseInput? input = null) => StartAsync(server, secrets, $"e-{Guid.NewGuid():N}", input);

    internal static Task<SecretRun> StartAsync(RunbookServer server, FakeSecrets secrets, string environment, LeakResponseInput? input = null) =>
        SecretRun.StartAsync(server, secrets, nameof(LeakResponse), LeakResponse.WorkflowId(environment), (input ?? new()) with { Environment = environment, Identity = "shop", OperationId = "op-recorded" });

    internal static Task<LeakResponseReport> ReportAsync(SecretRun run) => run.Handle.GetResultAsync<LeakResponseReport>().WaitAsync(Wait.Patience);
}
