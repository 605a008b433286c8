using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.PlatformWorkflows.Tests.Certificates;

/// <summary>The order, what is not tried blindly, and what people may say.</summary>
public sealed class RotateCertificateTests(RunbookServer server)
{
    private static readonly string[] InOrder = ["shop: issue", "shop: refresh Deployment/jobs", "shop: revoke"];

    [Fact]
    public async Task Issues_refreshes_proves_and_then_revokes()
    {
        await using var run = await CertificateRun.StartAsync(server, new());
        var report = await run.ReportAsync();
        Assert.Equal(InOrder, run.Certificates.Events);
        Assert.Equal(CertificateOutcome.Rotated, report.Outcome);
        Assert.StartsWith("shop: Every pod serves the certificate", report.Summary, StringComparison.Ordinal);
        var status = await run.UntilAsync(RunbookPhase.Completed);
        Assert.All(status.Steps, step => Assert.Equal(StepState.Done, step.State));
        Assert.True(status.PointOfNoReturnPassed);
    }

    [Theory]
    [InlineData("issue", true)]
    [InlineData("issue", false)]
    [InlineData("refresh", true)]
    [InlineData("revoke", true)]
    [InlineData("revoke", false)]
    public async Task A_step_of_unknown_outcome_is_looked_at_again_and_not_tried_blindly(string step, bool afterEffect)
    {
        await using var run = await CertificateRun.StartAsync(server, new FakeCertificates().Fail(step, afterEffect));
        Assert.Equal(CertificateOutcome.Rotated, (await run.ReportAsync()).Outcome);
        Assert.Equal(InOrder, run.Certificates.Events);
    }

    [Fact]
    public async Task A_pod_that_keeps_the_old_one_parks_it_in_its_proof_and_somebody_may_answer_for_it()
    {
        await using var run = await CertificateRun.StartAsync(server, new() { Refusing = true }, input: new() { ProveWithin = "3s" });
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("web-0: web-0 was asked.", parked.Summary, StringComparison.Ordinal);
        Assert.False(parked.PointOfNoReturnPassed);
        Assert.DoesNotContain("shop: revoke", run.Certificates.Events);
        Assert.StartsWith("Field 'step': Deployment/nobody is no consumer of shop. Possible: Deployment/jobs, Deployment/web.", await run.RefusalAsync("skipStep", new StepInput("Deployment/nobody", "x")), StringComparison.Ordinal);
        await run.TellAsync("skipStep", new StepInput("Deployment/web", "it is going away today"));
        var report = await run.ReportAsync();
        Assert.Equal("it is going away today", report.Excused["Deployment/web"]);
        Assert.Equal(InOrder, run.Certificates.Events);
    }

    [Fact]
    public async Task An_abort_revokes_nothing_and_the_next_run_ends_what_was_left()
    {
        var certificates = new FakeCertificates { Refusing = true };
        var environment = $"e-{Guid.NewGuid():N}";
        await using (var run = await CertificateRun.StartAsync(server, certificates, environment, new() { ProveWithin = "3s" }))
        {
            await run.UntilAsync(RunbookPhase.Parked);
            Assert.Equal("Field 'reason' is missing: why, for the report.", await run.RefusalAsync("abort", new AbortInput(null)));
            await run.TellAsync("abort", new AbortInput("the sale"));
            Assert.Equal(CertificateOutcome.Aborted, (await run.ReportAsync()).Outcome);
        }

        certificates.Refusing = false;
        await using var next = await CertificateRun.StartAsync(server, certificates, environment);
        Assert.Equal(CertificateOutcome.Rotated, (await next.ReportAsync()).Outcome);
        Assert.Equal(InOrder, certificates.Events);
    }

    [Fact]
    public async Task There_is_no_way_back_once_the_old_one_may_be_revoked()
    {
        await using var run = await CertificateRun.StartAsync(server, new FakeCertificates().Fail("revoke", hopeless: true));
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal("revoke failed: It is not allowed.", parked.Summary);
        Assert.StartsWith("abort is not possible: the old certificate is being revoked", await run.RefusalAsync("abort", new AbortInput("too late")), StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput("revoke"));
        Assert.Equal(CertificateOutcome.Rotated, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task What_cert_manager_owns_is_only_proved()
    {
        await using var run = await CertificateRun.StartAsync(server, new() { CertManager = true, Refusing = true });
        await Wait.UntilAsync(() => run.Handle.QueryAsync<RunbookStatus>("status", []), status => status.Summary.Contains("web-0", StringComparison.Ordinal), status => status.Summary);
        await run.TellAsync("skipStep", new StepInput("Deployment/web", "it is behind"));
        Assert.Equal(CertificateOutcome.Proved, (await run.ReportAsync()).Outcome);
        // Who keeps what it read when it started is restarted; nothing else is done.
        Assert.EndsWith(": refresh Deployment/jobs", Assert.Single(run.Certificates.Events), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_nobody_is_found_to_serve_parks_before_anything_is_issued_until_somebody_answers_for_it()
    {
        await using var run = await CertificateRun.StartAsync(server, new() { OfNobody = true });
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.StartsWith("Nobody was found who serves the certificate", parked.Summary, StringComparison.Ordinal);
        Assert.Empty(run.Certificates.Events);
        await run.TellAsync("skipStep", new StepInput("nobody", "a machine outside has it"));
        var report = await run.ReportAsync();
        Assert.Equal(CertificateOutcome.Rotated, report.Outcome);
        Assert.Equal("a machine outside has it", report.Excused["nobody"]);
        Assert.EndsWith(": revoke", run.Certificates.Events.Last(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""", "Field 'environment' is missing")]
    [InlineData("""{"environment":"e"}""", "Field 'certificate' is missing: the certificate's name in the catalog.")]
    [InlineData("""{"environment":"e","certificate":"s"}""", "Field 'region' is missing")]
    [InlineData("""{"environment":"e","certificate":"s","region":"r","settle":"soon"}""", "Field 'settle' is 'soon'.")]
    [InlineData("""{"environment":"e","certificate":"s","region":"r","force":true}""", "Unknown field 'force'.")]
    public async Task Names_the_field_of_bad_input(string input, string expected)
    {
        await using var run = await CertificateRun.StartAsync(server, new(), nameof(RotateCertificate), $"certificates/{Guid.NewGuid():N}", System.Text.Json.JsonDocument.Parse(input).RootElement);
        Assert.StartsWith(expected, await run.FailureAsync(), StringComparison.Ordinal);
        Assert.Empty(run.Certificates.Events);
    }
}
