using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.PlatformWorkflows.Tests.Certificates;

/// <summary>Many certificates at once.</summary>
public sealed class RotateCertificatesTests(SkippingRunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    [Fact]
    public async Task The_authority_is_never_asked_more_often_than_it_bears_also_when_requests_fail()
    {
        var certificates = new FakeCertificates([.. Enumerable.Range(0, 12).Select(number => $"s{number:00}")]) { PerMinute = 3, Clock = async () => await server.Environment.GetCurrentTimeAsync() };
        for (var time = 0; time < 3; time++)
            certificates.Fail("issue");
        await using var run = await CertificateRun.StartTogetherAsync(server, certificates);
        var report = await run.TogetherAsync();
        Assert.Equal((RotateCertificatesOutcome.Rotated, 12, "12 certificates are rotated."), (report.Outcome, report.Rotated, report.Summary));
        var asked = certificates.Issued.Order().ToList();
        Assert.Equal(15, asked.Count);
        // A turn is given, and taken a moment later.
        Assert.All(asked, at => Assert.InRange(asked.Count(other => other >= at && other < at.AddSeconds(55)), 1, 3));
    }

    [Fact]
    public async Task A_hundred_at_a_time_it_continues_as_new_until_nothing_is_due()
    {
        await using var run = await CertificateRun.StartTogetherAsync(server, new([.. Enumerable.Range(0, 103).Select(number => $"s{number:000}")]) { StrangersCertificate = "s007" }, input: new() { ParkedAtMost = "1s" });
        var report = await run.TogetherAsync();
        Assert.Equal((RotateCertificatesOutcome.Incomplete, 102), (report.Outcome, report.Rotated));
        Assert.Equal("s007", Assert.Single(report.Failed).Certificate.Name);
        Assert.Equal(102, run.Certificates.Events.Count(step => step.EndsWith(": revoke", StringComparison.Ordinal)));
        Assert.InRange((await server.Client.GetWorkflowHandle(run.Handle.Id, run.Handle.FirstExecutionRunId).FetchHistoryAsync()).Events.Count, 100, 3000);
    }

    [Fact]
    public async Task Says_what_there_is_and_changes_nothing_when_only_the_plan_is_asked_for_or_nothing_is_due()
    {
        await using var plan = await CertificateRun.StartTogetherAsync(server, new("a", "b"), input: new() { Mode = RunbookMode.Plan });
        var planned = await plan.TogetherAsync();
        Assert.Equal((RotateCertificatesOutcome.Planned, 2, 2), (planned.Outcome, planned.Found.Count, planned.Total));
        Assert.Empty(plan.Certificates.Events);

        await using var idle = await CertificateRun.StartTogetherAsync(server, new("a") { Due = false });
        Assert.Equal(RotateCertificatesOutcome.NothingDue, (await idle.TogetherAsync()).Outcome);
        Assert.Empty(idle.Certificates.Events);
    }

    [Fact]
    public async Task Keeps_the_old_one_for_a_week_when_told_to_and_stays_short()
    {
        var before = await server.Environment.GetCurrentTimeAsync();
        await using var run = await CertificateRun.StartAsync(server, new(), input: new() { Settle = "7d" });
        Assert.Equal(CertificateOutcome.Rotated, (await run.ReportAsync()).Outcome);
        Assert.InRange((await server.Environment.GetCurrentTimeAsync() - before).TotalDays, 7, 7.1);
        Assert.InRange((await run.Handle.FetchHistoryAsync()).Events.Count, 1, 3000);
    }
}
