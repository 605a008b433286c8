using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Certificates;
using PlatformOps.Starter.Demos;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary><c>RotateCertificateAuthority</c> as a worker carries it out: pods that talk to each other all the time, and each believes only whom it has loaded.</summary>
public sealed class RotateAuthorityTests(SandboxCluster cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twenty_pods_never_refuse_each_other_while_their_authority_is_replaced_and_all_refuse_the_old_one_afterwards()
    {
        await using var world = await CertificateWorld.StartAsync(cluster, replicas: 10, mutual: true);
        await Wait.UntilAsync(() => world.Pods.Served.Values.Count(served => served is not null) == 20, () => $"{world.Pods.Names.Count} pods");
        using var old = await SignedAsync(world, "first");
        Assert.Equal(20, (await world.Pods.AcceptAsync(old, Ct)).Count);
        var web = world.Pods.Names.Where(name => name.StartsWith("web-", StringComparison.Ordinal)).ToHashSet();

        var report = await ResultAsync(await world.BeginAuthorityAsync(proveWithin: "4m"));
        Assert.Equal(AuthorityOutcome.Rotated, report.Outcome);
        Assert.Equal([AuthorityState.Active, AuthorityState.Revoked], report.Roots.Select(root => root.State).Order());
        Assert.Equal(20, report.Consumers.Sum(consumer => consumer.Pods.Count));
        Assert.All(report.Consumers.SelectMany(consumer => consumer.Pods), pod => Assert.Equal((true, false), (pod.AcceptsNew, pod.AcceptsOld)));

        Assert.Empty(await world.Pods.AcceptAsync(old, Ct));
        Assert.Single(ReadLeaf.Bundle((await world.PublishedAsync()).Authorities));
        Assert.Single(world.Pods.Served.Values.Distinct());
        // Those that reload were asked whom they trust, and not restarted.
        Assert.True(web.SetEquals(world.Pods.Names.Where(name => name.StartsWith("web-", StringComparison.Ordinal))));
        Assert.True(world.Pods.Handshakes > 500, $"{world.Pods.Handshakes} handshakes");
        Assert.Empty(world.Pods.Failures);
        await world.NoKeyIsSpokenAsync([.. world.Pods.Keys.Keys]);
    }

    [Fact]
    public async Task Pods_that_do_not_take_up_the_new_root_keep_it_from_signing_and_are_named_and_an_abort_leaves_nothing_behind()
    {
        await using var world = await CertificateWorld.StartAsync(cluster, mutual: true);
        // Not even restarts help: its pods read the first root only.
        world.Pods.Reads = (workload, roots) => workload == "web" ? ReadLeaf.Bundle(roots).Values.First() : roots;
        var (before, root) = (await world.SerialAsync(), await world.Pki.DefaultIssuerAsync(Ct));

        var run = await world.BeginAuthorityAsync(proveWithin: "10s");
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        var status = await run.QueryAsync(workflow => workflow.Status());
        Assert.All(world.Pods.Names.Where(name => name.StartsWith("web-", StringComparison.Ordinal)), pod => Assert.Contains(pod, status.Summary, StringComparison.Ordinal));
        Assert.Equal(("proveTrust", StepState.Running), (status.Steps[1].Name, status.Steps[1].State));
        Assert.Equal((before, root), (await world.SerialAsync(), await world.Pki.DefaultIssuerAsync(Ct)));

        await run.ExecuteUpdateAsync(workflow => workflow.AbortAsync(new AbortInput("first the pod")));
        Assert.Equal(AuthorityOutcome.Returned, (await ResultAsync(run)).Outcome);
        Assert.Equal((before, root), (await world.SerialAsync(), Assert.Single(await world.Pki.IssuersAsync(Ct)).Id));
        Assert.Single(ReadLeaf.Bundle((await world.PublishedAsync()).Authorities));
        Assert.Empty(world.Pods.Failures);
    }

    [Fact]
    public async Task One_pod_that_keeps_the_old_certificate_keeps_the_old_root_trusted_everywhere_raises_an_alert_and_is_named_until_it_is_mended()
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{LocalPorts.Take()}");
        await using var world = await CertificateWorld.StartAsync(cluster, metrics: address, mutual: true);
        using var old = await SignedAsync(world, "first");
        world.Pods.Keeping = world.Pods.Names.First(name => name.StartsWith("web-", StringComparison.Ordinal));

        var run = await world.BeginAuthorityAsync(proveWithin: "10s");
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        var status = await run.QueryAsync(workflow => workflow.Status());
        Assert.Contains(world.Pods.Keeping, status.Summary, StringComparison.Ordinal);
        Assert.Equal(("roll", StepState.Running), (status.Steps[3].Name, status.Steps[3].State));
        Assert.Equal(("dropTrust", StepState.Pending), (status.Steps[4].Name, status.Steps[4].State));
        Assert.False(status.PointOfNoReturnPassed);
        Assert.Equal(2, ReadLeaf.Bundle((await world.PublishedAsync()).Authorities).Count);
        Assert.Equal(4, (await world.Pods.AcceptAsync(old, Ct)).Count);
        using var http = new HttpClient();
        var metrics = (await http.GetStringAsync(new Uri($"http://{address}/metrics"), Ct)).Split('\n');
        Assert.Contains(metrics, line => line.StartsWith("platformops_runbook_phase_seconds{", StringComparison.Ordinal) && line.Contains("phase=\"parked\"", StringComparison.Ordinal) && line.Contains($"run=\"{run.Id}\"", StringComparison.Ordinal));

        world.Pods.Keeping = null;
        await run.ExecuteUpdateAsync(workflow => workflow.RetryStepAsync(new StepInput("roll")));
        Assert.Equal(AuthorityOutcome.Rotated, (await ResultAsync(run)).Outcome);
        Assert.Empty(await world.Pods.AcceptAsync(old, Ct));
        Assert.Empty(world.Pods.Failures);
    }

    /// <summary>Temporal's server reads certificates again and keeps the roots that it had: https://github.com/temporalio/temporal/issues/11230.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_keeps_its_roots_is_noticed_and_restarted_before_anything_is_issued_and_one_that_does_not_is_left_alone(bool mended)
    {
        await using var world = await CertificateWorld.StartAsync(cluster, mutual: true);
        if (!mended)
            world.Pods.KeepingRoots["web"] = true;
        var (root, before) = (await world.Pki.DefaultIssuerAsync(Ct), Web());

        var run = await world.BeginAuthorityAsync();
        await Wait.UntilAsync(async () => await world.Pki.DefaultIssuerAsync(Ct) != root, () => "Nothing is issued", Patience);
        // The new root is named behind the old one: who only reads the first one is found out.
        Assert.Equal(mended ? 2 : 0, Web().Count(before.Contains));
        Assert.Equal(AuthorityOutcome.Rotated, (await ResultAsync(run)).Outcome);
        Assert.Equal(mended, before.SetEquals(Web()));
        Assert.Empty(world.Pods.Failures);

        HashSet<string> Web() => [.. world.Pods.Names.Where(name => name.StartsWith("web-", StringComparison.Ordinal))];
    }

    [Fact]
    public async Task Nothing_is_issued_while_a_certificate_in_use_does_not_lead_to_what_everybody_trusts()
    {
        await using var world = await CertificateWorld.StartAsync(cluster, separate: true);
        var root = await world.Pki.DefaultIssuerAsync(Ct);
        var (certificate, key) = RepairedCertificateTests.Foreign(CertificateWorld.ServerName);
        await world.ChangeSecretAsync($$"""{"data":{"tls.crt":"{{CertificateWorld.Encoded(certificate)}}","tls.key":"{{CertificateWorld.Encoded(key)}}"} }""", "jobs-tls");

        var run = await world.BeginAuthorityAsync();
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        Assert.Contains(
            $"Certificate jobs does not lead to what Secret {world.Platform.Space}/jobs-tls names.", (await run.QueryAsync(workflow => workflow.Status())).Summary, StringComparison.Ordinal);
        Assert.Equal(root, await world.Pki.DefaultIssuerAsync(Ct));

        Assert.Equal(CertificateOutcome.Rotated, (await (await world.BeginAsync(certificate: "jobs")).GetResultAsync()).Outcome);
        await run.ExecuteUpdateAsync(workflow => workflow.RetryStepAsync(new StepInput("issue")));
        Assert.Equal(AuthorityOutcome.Rotated, (await ResultAsync(run)).Outcome);
    }

    [Fact]
    public async Task Somebody_unknown_who_uses_it_stops_it_before_anything_is_issued()
    {
        await using var world = await CertificateWorld.StartAsync(cluster, mutual: true);
        await world.Kubectl.CreateAsync($"/api/v1/namespaces/{world.Platform.Space}/pods", $$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"debug"},"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1m"} } }],"volumes":[{"name":"t","secret":{"secretName":"{{CertificateWorld.SecretName}}"} }]} }
            """);
        var run = await world.BeginAuthorityAsync();
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        Assert.Contains("Pod/debug uses what says whom to trust", (await run.QueryAsync(workflow => workflow.Status())).Summary, StringComparison.Ordinal);
        Assert.Single(await world.Pki.IssuersAsync(Ct));
    }

    [Fact]
    public async Task Everything_goes_back_by_itself_when_the_second_workload_serves_nothing_with_its_new_certificate()
    {
        await using var world = await CertificateWorld.StartAsync(cluster, mutual: true, separate: true);
        var root = await world.Pki.DefaultIssuerAsync(Ct);
        var first = (await world.Pki.IssuerAsync("first", Ct)).Pem;
        world.Pods.Breaks = (workload, certificate) =>
        {
            using var leaf = ReadLeaf.Of(certificate)!;
            return workload == "jobs" && !leaf.ChainsTo(first, DateTimeOffset.UtcNow);
        };

        var report = await ResultAsync(await world.BeginAuthorityAsync(proveWithin: "10s"));
        Assert.Equal(AuthorityOutcome.Returned, report.Outcome);
        Assert.Contains("jobs broke with its new certificate", report.Summary, StringComparison.Ordinal);
        Assert.Equal(root, Assert.Single(await world.Pki.IssuersAsync(Ct)).Id);
        using var leaf = ReadLeaf.Of((await world.PublishedAsync()).Certificate)!;
        Assert.True(leaf.ChainsTo(first, DateTimeOffset.UtcNow));
        Assert.Empty(world.Pods.Failures);
    }

    [Fact]
    public async Task Every_step_may_be_lost_before_and_after_its_effect_and_be_carried_out_again()
    {
        LosingCertificateActivities? losing = null;
        await using var world = await CertificateWorld.StartAsync(cluster, wrapped: inner => losing = new(inner), mutual: true, keystores: true);
        var before = Assert.Single((await world.KeystoresAsync()).Distinct().SelectMany(store => store.Trusted!).Distinct());
        Assert.Equal(AuthorityOutcome.Rotated, (await ResultAsync(await world.BeginAuthorityAsync())).Outcome);
        Assert.Superset(
            new HashSet<AuthorityStep> { AuthorityStep.Prepare, AuthorityStep.AddTrust, AuthorityStep.Refresh, AuthorityStep.Activate, AuthorityStep.DropTrust, AuthorityStep.Revoke }, losing!.AuthoritySteps.ToHashSet());
        Assert.Equal(2, (await world.Pki.IssuersAsync(Ct)).Count);
        Assert.Empty(world.Pods.Failures);
        await KeystoresSayWhatPemSaysAsync(world, but: before);

        // Whoever spoils one gets it back, by a new certificate.
        await world.ChangeSecretAsync($$"""{"data": {"truststore.jks": "{{CertificateWorld.Encoded("no keystore")}}"} }""");
        Assert.Equal(CertificateOutcome.Rotated, (await world.RotateAsync()).Outcome);
        await KeystoresSayWhatPemSaysAsync(world, but: before);
        await world.NoKeyIsSpokenAsync([.. world.Pods.Keys.Keys], world.KeystorePassword.Reveal());
    }

    private static async Task KeystoresSayWhatPemSaysAsync(CertificateWorld world, string but)
    {
        var (leaf, _, authorities) = await world.PublishedAsync();
        var trusted = Assert.Single(ReadLeaf.Bundle(authorities).Keys);
        Assert.NotEqual(but, trusted);
        var stores = await world.KeystoresAsync();
        Assert.Equal(2, stores.Count);
        Assert.All(stores, store => Assert.Equal((ReadLeaf.Bundle(leaf).Keys.First(), trusted), (store.Leaf, Assert.Single(store.Trusted!))));
    }

    private static async Task<X509Certificate2> SignedAsync(CertificateWorld world, string issuer)
    {
        using var request = new LeafRequest([CertificateWorld.ServerName]);
        using var leaf = ReadLeaf.Of((await world.Pki.SignAsync("shop", request.Pem, TimeSpan.FromHours(1), Ct, issuer)).Pem)!;
        return leaf.WithKey(request.Key)!;
    }

    /// <summary>What it reports; where it stands instead, when it does not end.</summary>
    private static async Task<RotateCertificateAuthorityReport> ResultAsync(WorkflowHandle<RotateCertificateAuthority, RotateCertificateAuthorityReport> run)
    {
        await UntilAsync(run, status => status.Phase is RunbookPhase.Completed or RunbookPhase.Aborted or RunbookPhase.Failed);
        return await run.GetResultAsync();
    }

    private static Task UntilAsync(WorkflowHandle<RotateCertificateAuthority, RotateCertificateAuthorityReport> run, Func<RunbookStatus, bool> wanted)
    {
        RunbookStatus? last = null;
        return Wait.UntilAsync(async () => wanted(last = await run.QueryAsync(workflow => workflow.Status())), () => $"{last?.Phase}: {last?.Summary}", Patience);
    }
}
