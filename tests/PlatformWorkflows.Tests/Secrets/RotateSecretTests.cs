using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.PlatformWorkflows.Tests.Secrets;

/// <summary>The order of a rotation, and what people may tell it.</summary>
public sealed class RotateSecretTests(RunbookServer server)
{
    private static readonly string[] InOrder =
        ["shop: create", "shop: set", "shop: promote", "shop: publish", "shop: refresh Deployment/jobs", "shop: refresh Deployment/web", "shop: revoke"];

    [Fact]
    public async Task Goes_step_by_step_and_reports_who_was_proved()
    {
        await using var run = await SecretRun.StartAsync(server, new());
        var report = await run.ReportAsync();
        Assert.Equal(InOrder, run.Secrets.Events);
        Assert.Equal((RotationOutcome.Rotated, 2, "shop is rotated: 2 consumers use version 2, and no older one is valid."), (report.Outcome, report.Version, report.Summary));
        var status = await run.UntilAsync(RunbookPhase.Completed);
        Assert.All(status.Steps, step => Assert.Equal(StepState.Done, step.State));
        Assert.True(status.PointOfNoReturnPassed);
    }

    [Fact]
    public async Task A_secret_that_takes_two_versions_hands_the_second_out_when_everybody_has_the_first()
    {
        await using var run = await SecretRun.StartAsync(server, new() { GoesTo = 3 });
        var report = await run.ReportAsync();
        Assert.Equal([.. InOrder, .. InOrder], run.Secrets.Events);
        Assert.Equal((RotationOutcome.Rotated, 3), (report.Outcome, report.Version));
    }

    [Fact]
    public async Task Between_two_versions_an_abort_leaves_what_everybody_has()
    {
        await using var run = await SecretRun.StartAsync(server, new FakeSecrets { GoesTo = 3, Sessions = 1, SessionsAt = 3 });
        await run.UntilAsync(status => status.Summary.Contains("sessions as", StringComparison.Ordinal) && !status.PointOfNoReturnPassed);
        await run.TellAsync("abort", new AbortInput("changed our minds"));
        run.Secrets.Sessions = 0;
        Assert.Equal(RotationOutcome.Returned, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Who_is_only_asked_is_asked_after_every_restart_and_again_when_somebody_says_so()
    {
        await using var run = await SecretRun.StartAsync(server, new() { Consumers = ["Application/a", "Application/b", "StatefulSet/argocd"], Stubborn = "Application/b" });
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("Application/b does not take up version 2", parked.Summary, StringComparison.Ordinal);
        Assert.DoesNotContain("shop: revoke", run.Secrets.Events);
        run.Secrets.Stubborn = null;
        await run.TellAsync("retryStep", new StepInput("Application/b"));
        Assert.Equal(RotationOutcome.Rotated, (await run.ReportAsync()).Outcome);
        string[] asked = ["shop: refresh StatefulSet/argocd", "shop: refresh Application/a Application/b", "shop: refresh Application/b", "shop: revoke"];
        Assert.Equal(asked, run.Secrets.Events.Skip(4));
    }

    [Theory]
    [InlineData("create", true)]
    [InlineData("create", false)]
    [InlineData("set", true)]
    [InlineData("promote", true)]
    [InlineData("promote", false)]
    [InlineData("publish", true)]
    [InlineData("refresh", true)]
    [InlineData("revoke", true)]
    [InlineData("revoke", false)]
    public async Task A_step_of_unknown_outcome_is_looked_at_again_and_not_tried_blindly(string step, bool afterEffect)
    {
        await using var run = await SecretRun.StartAsync(server, new FakeSecrets().Fail(step, afterEffect));
        Assert.Equal(RotationOutcome.Rotated, (await run.ReportAsync()).Outcome);
        Assert.Equal(InOrder, run.Secrets.Events);
    }

    [Fact]
    public async Task It_goes_on_when_every_step_is_lost_after_its_effect()
    {
        var unlucky = new FakeSecrets();
        foreach (var step in new[] { "create", "set", "promote", "publish", "refresh", "refresh", "revoke" })
            unlucky.Fail(step, afterEffect: true);
        await using var run = await SecretRun.StartAsync(server, unlucky);
        Assert.Equal(RotationOutcome.Rotated, (await run.ReportAsync()).Outcome);
        Assert.Equal(InOrder, run.Secrets.Events);
    }

    [Fact]
    public async Task A_step_that_cannot_succeed_parks_it_until_somebody_has_changed_something()
    {
        await using var run = await SecretRun.StartAsync(server, new FakeSecrets().Fail("set", hopeless: true));
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal("set failed: It is not allowed.", parked.Summary);
        Assert.Equal("operator", parked.WaitingFor!.Who);
        await run.TellAsync("retryStep", new StepInput("set"));
        Assert.Equal(RotationOutcome.Rotated, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task What_may_not_be_looked_at_any_more_parks_it_and_fails_it_when_nothing_was_done_yet()
    {
        await using (var run = await SecretRun.StartAsync(server, new FakeSecrets().Fail("set", hopeless: true)))
        {
            await run.UntilAsync(RunbookPhase.Parked);
            run.Secrets.Closed = true;
            await run.TellAsync("retryStep", new StepInput("set"));
            await run.UntilAsync(status => status is { Phase: RunbookPhase.Parked, Summary: "It cannot be looked at: It is not allowed." });
            run.Secrets.Closed = false;
            await run.TellAsync("retryStep", new StepInput("set"));
            Assert.Equal(RotationOutcome.Rotated, (await run.ReportAsync()).Outcome);
        }

        await using var first = await SecretRun.StartAsync(server, new() { Closed = true });
        Assert.Equal("It is not allowed.", await first.FailureAsync());
    }

    [Fact]
    public async Task A_consumer_that_does_not_come_up_keeps_the_others_and_the_old_value()
    {
        await using var run = await SecretRun.StartAsync(server, new() { Stubborn = "Deployment/jobs" });
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("Deployment/jobs does not take up version 2: It does not start. The previous version stays valid.", parked.Summary, StringComparison.Ordinal);
        Assert.DoesNotContain("shop: refresh Deployment/web", run.Secrets.Events);

        run.Secrets.Stubborn = null;
        await run.TellAsync("abort", new AbortInput("it must come up first"));
        var report = await run.ReportAsync();
        Assert.Equal((RotationOutcome.Returned, 3), (report.Outcome, report.Version));
        Assert.Equal(["shop: return", "shop: publish", "shop: refresh Deployment/jobs", "shop: refresh Deployment/web", "shop: revoke"], run.Secrets.Events.TakeLast(5));
    }

    [Fact]
    public async Task A_secret_that_nobody_is_found_to_use_parks_before_anything_is_made_until_somebody_answers_for_it()
    {
        await using var run = await SecretRun.StartAsync(server, new() { Consumers = [] });
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.StartsWith("Nobody was found who uses the secret: no Deployment, StatefulSet, DaemonSet or running pod takes values from space/secret-shop", parked.Summary, StringComparison.Ordinal);
        Assert.Empty(run.Secrets.Events);
        Assert.StartsWith("Field 'step': Deployment/web is no consumer of shop. Possible: nobody.", await run.RefusalAsync("skipStep", new StepInput("Deployment/web", "x")), StringComparison.Ordinal);
        await run.TellAsync("skipStep", new StepInput("nobody", "it is for emergencies"));
        var report = await run.ReportAsync();
        Assert.Equal("shop is rotated: nobody was found who uses it (it is for emergencies); it is at version 2, and no older one is valid.", report.Summary);
        Assert.Equal("it is for emergencies", report.Excused["nobody"]);
        Assert.Equal(["shop: create", "shop: set", "shop: promote", "shop: publish", "shop: revoke"], run.Secrets.Events);
    }

    [Fact]
    public async Task An_abort_before_anything_is_handed_out_leaves_everything_as_it_was()
    {
        await using var run = await SecretRun.StartAsync(server, new FakeSecrets().Fail("set", hopeless: true));
        await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal("Field 'reason' is missing: why, for the report.", await run.RefusalAsync("abort", new AbortInput(null)));
        await run.TellAsync("abort", new AbortInput("changed our minds"));
        Assert.Equal(RotationOutcome.Withdrawn, (await run.ReportAsync()).Outcome);
        Assert.Equal(["shop: create", "shop: withdraw"], run.Secrets.Events);
    }

    [Fact]
    public async Task There_is_no_way_back_once_the_old_value_may_be_revoked()
    {
        await using var run = await SecretRun.StartAsync(server, new FakeSecrets().Fail("revoke", hopeless: true));
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.True(parked.PointOfNoReturnPassed);
        Assert.StartsWith("abort is not possible: the previous value is being revoked", await run.RefusalAsync("abort", new AbortInput("too late")), StringComparison.Ordinal);
        Assert.StartsWith("Field 'step': Deployment/nobody is no consumer of shop. Possible: Deployment/web, Deployment/jobs.", await run.RefusalAsync("skipStep", new StepInput("Deployment/nobody", "x")), StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput("revoke"));
        Assert.Equal(RotationOutcome.Rotated, (await run.ReportAsync()).Outcome);
    }

    [Theory]
    [InlineData("""{}""", "Field 'environment' is missing")]
    [InlineData("""{"environment":"e"}""", "Field 'secret' is missing: the rotation's name in the catalog.")]
    [InlineData("""{"environment":"e","secret":"s"}""", "Field 'region' is missing")]
    [InlineData("""{"environment":"e","secret":"s","region":"r","settle":"soon"}""", "Field 'settle' is 'soon'.")]
    [InlineData("""{"environment":"e","secret":"s","region":"r","proveWithin":"25h"}""", "Field 'proveWithin' is '25h'.")]
    [InlineData("""{"environment":"e","secret":"s","region":"r","noConsumers":" "}""", "Field 'noConsumers' is empty")]
    [InlineData("""{"environment":"e","secret":"s","region":"r","force":true}""", "Unknown field 'force'.")]
    public async Task Names_the_field_of_bad_input(string input, string expected)
    {
        await using var run = await SecretRun.StartAsync(server, new(), nameof(RotateSecret), $"secrets/{Guid.NewGuid():N}", System.Text.Json.JsonDocument.Parse(input).RootElement);
        Assert.StartsWith(expected, await run.FailureAsync(), StringComparison.Ordinal);
        Assert.Empty(run.Secrets.Events);
    }
}
