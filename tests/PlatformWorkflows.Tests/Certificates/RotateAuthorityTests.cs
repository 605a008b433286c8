using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.PlatformWorkflows.Tests.Certificates;

/// <summary>The parts of an authority's rotation in order, the way back, and what people may say.</summary>
public sealed class RotateAuthorityTests(RunbookServer server)
{
    private static readonly string[] InOrder =
    [
        "internal: prepare", "internal: addTrust", "internal: refresh space/Deployment/jobs", "internal: activate", "shop: issue", "shop: refresh Deployment/jobs", "shop: revoke",
        "internal: dropTrust", "internal: refresh space/Deployment/jobs", "internal: revoke",
    ];

    [Fact]
    public async Task Adds_trust_proves_it_issues_rolls_drops_and_proves_that()
    {
        await using var run = await CertificateRun.StartAuthorityAsync(server, new());
        var report = await run.AuthorityAsync();
        Assert.Equal(InOrder, run.Certificates.Events);
        Assert.Equal(AuthorityOutcome.Rotated, report.Outcome);
        var status = await run.UntilAsync(RunbookPhase.Completed);
        Assert.All(status.Steps, step => Assert.Equal(StepState.Done, step.State));
    }

    [Theory]
    [InlineData("prepare", true)]
    [InlineData("addTrust", false)]
    [InlineData("activate", true)]
    [InlineData("dropTrust", true)]
    [InlineData("revoke", false)]
    public async Task A_step_of_unknown_outcome_is_looked_at_again_and_not_tried_blindly(string step, bool afterEffect)
    {
        await using var run = await CertificateRun.StartAuthorityAsync(server, new FakeCertificates().Fail(step, afterEffect));
        Assert.Equal(AuthorityOutcome.Rotated, (await run.AuthorityAsync()).Outcome);
        Assert.Equal(InOrder, run.Certificates.Events);
    }

    [Fact]
    public async Task A_stranger_stops_it_and_an_abort_takes_everything_back()
    {
        var certificates = new FakeCertificates();
        certificates.Authority.Stranger = true;
        await using var run = await CertificateRun.StartAuthorityAsync(server, certificates.Fail("activate", hopeless: true));
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.StartsWith("space/Pod/debug uses what says whom to trust", parked.Summary, StringComparison.Ordinal);
        Assert.Empty(certificates.Events);
        certificates.Authority.Stranger = false;
        await run.TellAsync("retryStep", new StepInput("addTrust"));
        await Wait.UntilAsync(() => run.Handle.QueryAsync<RunbookStatus>("status", []), status => status.Summary == "activate failed: It is not allowed.", status => status.Summary);
        await run.TellAsync("abort", new AbortInput("not today"));
        var report = await run.AuthorityAsync();
        Assert.Equal(AuthorityOutcome.Returned, report.Outcome);
        Assert.StartsWith("Everything is as before: aborted: not today.", report.Summary, StringComparison.Ordinal);
        Assert.Equal(["internal: restoreTrust", "internal: refresh space/Deployment/jobs", "internal: discard"], certificates.Events.TakeLast(3));
    }

    [Fact]
    public async Task Nothing_is_issued_while_certificates_of_the_new_root_would_not_be_believed()
    {
        var certificates = new FakeCertificates();
        certificates.Authority.Unbelieved = true;
        await using var run = await CertificateRun.StartAuthorityAsync(server, certificates);
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.StartsWith("A certificate of the new root does not lead to what Secret space/shop-tls names.", parked.Summary, StringComparison.Ordinal);
        Assert.Equal(["internal: prepare", "internal: addTrust", "internal: refresh space/Deployment/jobs"], certificates.Events);
        certificates.Authority.Unbelieved = false;
        await run.TellAsync("retryStep", new StepInput("issue"));
        Assert.Equal(AuthorityOutcome.Rotated, (await run.AuthorityAsync()).Outcome);
        Assert.Equal(InOrder, certificates.Events);
    }

    [Fact]
    public async Task Goes_back_by_itself_when_pods_serve_nothing_with_a_new_certificate()
    {
        var certificates = new FakeCertificates { Refusing = true };
        certificates.Authority.Breaks = true;
        await using var run = await CertificateRun.StartAuthorityAsync(server, certificates, proveWithin: "3s");
        await Wait.UntilAsync(() => run.Handle.QueryAsync<RunbookStatus>("status", []), status => status.Phase == RunbookPhase.RollingBack, status => $"{status.Phase}: {status.Summary}");
        certificates.Refusing = false;
        var report = await run.AuthorityAsync();
        Assert.Equal(AuthorityOutcome.Returned, report.Outcome);
        Assert.Contains("shop broke with its new certificate", report.Summary, StringComparison.Ordinal);
        Assert.Contains("internal: deactivate", certificates.Events);
        Assert.DoesNotContain("internal: dropTrust", certificates.Events);
    }

    [Fact]
    public async Task There_is_no_way_back_once_the_old_root_is_dropped()
    {
        var certificates = new FakeCertificates();
        await using var run = await CertificateRun.StartAuthorityAsync(server, certificates.Fail("dropTrust", afterEffect: true, hopeless: true));
        await run.UntilAsync(RunbookPhase.Parked);
        Assert.StartsWith("abort is not possible: the old root is being dropped", await run.RefusalAsync("abort", new AbortInput("too late")), StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput("dropTrust"));
        Assert.Equal(AuthorityOutcome.Rotated, (await run.AuthorityAsync()).Outcome);
    }

    [Theory]
    [InlineData("""{}""", "Field 'environment' is missing")]
    [InlineData("""{"environment":"e"}""", "Field 'authority' is missing: the authority's name in the catalog.")]
    [InlineData("""{"environment":"e","authority":"a"}""", "Field 'region' is missing")]
    [InlineData("""{"environment":"e","authority":"a","region":"r","force":true}""", "Unknown field 'force'.")]
    public async Task Names_the_field_of_bad_input(string input, string expected)
    {
        await using var run = await CertificateRun.StartAsync(server, new(), nameof(RotateCertificateAuthority), $"certificates/{Guid.NewGuid():N}", System.Text.Json.JsonDocument.Parse(input).RootElement);
        var failure = await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(run.AuthorityAsync);
        Assert.StartsWith(expected, failure.InnerException!.Message, StringComparison.Ordinal);
    }
}
