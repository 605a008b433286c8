using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary><c>RotateSecret</c> as a worker carries it out: a real PostgreSQL server, pods that log in all the time, and Vault.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class RotationTests(SandboxCluster cluster, PostgresCluster postgres)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_is_refused_while_a_login_is_rotated_twice_and_the_old_one_cannot_log_in_afterwards()
    {
        await using var world = await RotationWorld.StartAsync(cluster, postgres);
        await using var clients = new PodClients(world, cluster);
        await Wait.UntilAsync(() => clients.Logins > 20, () => $"{clients.Logins} logins");
        var (first, before) = await world.PublishedAsync();

        var report = await world.RotateAsync();
        Assert.Equal((RotationOutcome.Rotated, 2), (report.Outcome, report.Version));
        Assert.Equal(["Deployment/jobs", "Deployment/web"], report.Consumers.Select(consumer => consumer.Name));
        Assert.All(report.Consumers, consumer => Assert.Equal(ConsumerStanding.Current, consumer.Standing));
        var (second, between) = await world.PublishedAsync();
        Assert.Equal($"{world.Login}_clone", second);
        Assert.False(await world.LetsInAsync(first, new(before)));
        Assert.True(await world.LetsInAsync(second, new(between)));
        Assert.Equal($"{world.Login} shop, public 50", await AskAsync(world, second, between, "SELECT current_user || ' ' || current_setting('search_path') || ' ' || (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user)"));

        Assert.Equal((RotationOutcome.Rotated, 3), (await world.RotateAsync()) is var again ? (again.Outcome, again.Version) : default);
        Assert.Equal(world.Login, (await world.PublishedAsync()).Login);
        Assert.False(await world.LetsInAsync(second, new(between)));
        Assert.True(clients.Logins > 100);
        Assert.Empty(clients.Refusals);

        var kept = await world.Kept.ReadAsync(world.Path, Ct);
        Assert.Equal((null, 3, null), (kept.Pending, kept.Current!.Version, kept.Previous));
        await NoValueIsSpokenAsync(world, [before, between, kept.Current.Value.Reveal()]);
    }

    [Fact]
    public async Task A_session_of_before_keeps_the_old_login_valid_and_is_named_and_an_abort_takes_it_all_back()
    {
        await using var world = await RotationWorld.StartAsync(cluster, postgres, reloads: "[Deployment/web, Deployment/jobs]");
        var (first, password) = await world.PublishedAsync();
        await using var session = new Npgsql.NpgsqlConnection(world.ConnectionString(first, password, "nightly-report"));
        await session.OpenAsync(Ct);

        var run = await world.BeginAsync();
        await UntilAsync(run, status => status.Summary.Contains("1 sessions as", StringComparison.Ordinal));
        var status = await run.QueryAsync(workflow => workflow.Status());
        Assert.Contains("nightly-report from 127.0.0.1", status.Summary, StringComparison.Ordinal);
        Assert.False(status.PointOfNoReturnPassed);
        Assert.True(await world.LetsInAsync(first, new(password)));

        await run.ExecuteUpdateAsync(workflow => workflow.AbortAsync(new AbortInput("the report must go on")));
        var report = await run.GetResultAsync();
        Assert.Equal(RotationOutcome.Returned, report.Outcome);
        Assert.Equal((first, password), await world.PublishedAsync());
        Assert.Equal("False", await postgres.AskAsync($"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{world.Login}_clone'"));
        Assert.Equal(System.Data.ConnectionState.Open, session.State);
        Assert.True(await world.LetsInAsync(first, new(password)));
    }

    [Fact]
    public async Task A_pod_that_the_catalog_does_not_know_stops_it_before_anything_is_made()
    {
        await using var world = await RotationWorld.StartAsync(cluster, postgres);
        using (var kubectl = new KubectlLike(cluster))
            await kubectl.CreateAsync($"/api/v1/namespaces/{world.Platform.Space}/pods", """
                {"apiVersion":"v1","kind":"Pod","metadata":{"name":"debug"},"spec":{"containers":[{"name":"c","image":"i","envFrom":[{"secretRef":{"name":"credentials"}}],"resources":{"requests":{"cpu":"1m"}}}]}}
                """);
        var run = await world.BeginAsync();
        await UntilAsync(run, status => status.Phase == RunbookPhase.Parked);
        Assert.Contains("Pod/debug uses the secret, and the catalog does not know it", (await run.QueryAsync(workflow => workflow.Status())).Summary, StringComparison.Ordinal);
        Assert.Equal((null, null, 0), await world.Kept.ReadAsync(world.Path, Ct) is var kept ? (kept.Pending, kept.Current, kept.Latest) : default);

        await run.ExecuteUpdateAsync(workflow => workflow.SkipStepAsync(new StepInput("Pod/debug", "somebody looks at something")));
        var report = await run.GetResultAsync();
        Assert.Equal(RotationOutcome.Rotated, report.Outcome);
        Assert.Equal("somebody looks at something", report.Excused["Pod/debug"]);
    }

    [Theory]
    [InlineData("pending left")]
    [InlineData("pending left and set")]
    [InlineData("changed in the system, not in the store")]
    [InlineData("current revoked")]
    [InlineData("somebody published something else")]
    [InlineData("previous revoked early")]
    public async Task Repairs_what_is_found_half_done(string state)
    {
        await using var world = await RotationWorld.StartAsync(cluster, postgres);
        var (login, password) = await world.PublishedAsync();
        var other = $"{login}_clone";
        await world.Kept.PromoteAsync(world.Path, new("earlier", login, new(password), 0), 0, Ct);
        switch (state)
        {
            case "pending left":
                await world.Kept.StageAsync(world.Path, new("dead", other, new("half-done-value"), 0), 0, Ct);
                break;
            case "pending left and set":
                await world.Kept.StageAsync(world.Path, new("dead", other, new("half-done-value"), 0), 0, Ct);
                await postgres.SqlAsync($"CREATE ROLE {other} LOGIN PASSWORD 'half-done-value'");
                break;
            case "changed in the system, not in the store":
                await world.Kept.StageAsync(world.Path, new("dead", login, new("half-done-value"), 0), 0, Ct);
                await postgres.SqlAsync($"ALTER ROLE {login} PASSWORD 'half-done-value'");
                break;
            case "current revoked":
                await postgres.SqlAsync($"ALTER ROLE {login} NOLOGIN PASSWORD NULL");
                break;
            case "somebody published something else":
                using (var kubectl = new KubectlLike(cluster))
                    await kubectl.MergeAsync(KubectlLike.Secret(world.Platform.Space, "credentials"), """{"data":{"password":"c29tZXRoaW5nIGVsc2U="}}""");
                break;
            default:
                await world.Kept.PromoteAsync(world.Path, new("dead", other, new("half-done-value"), 0), 1, Ct);
                await postgres.SqlAsync($"CREATE ROLE {other} LOGIN PASSWORD 'half-done-value'");
                await postgres.SqlAsync($"ALTER ROLE {login} NOLOGIN PASSWORD NULL");
                break;
        }

        Assert.Equal(RotationOutcome.Rotated, (await world.RotateAsync()).Outcome);
        var kept = await world.Kept.ReadAsync(world.Path, Ct);
        Assert.Equal((null, null), (kept.Pending, kept.Previous));
        Assert.Equal((kept.Current!.Login, kept.Current.Value.Reveal()), await world.PublishedAsync());
        Assert.True(await world.LetsInAsync(kept.Current.Login!, kept.Current.Value));
        Assert.Equal("1", await postgres.AskAsync($"SELECT count(*) FROM pg_roles WHERE rolname IN ('{login}', '{other}') AND rolcanlogin"));
    }

    [Fact]
    public async Task Every_step_may_be_lost_before_and_after_its_effect_and_be_carried_out_again()
    {
        LosingActivities? losing = null;
        await using var world = await RotationWorld.StartAsync(cluster, postgres, wrapped: inner => losing = new(inner));
        await using var clients = new PodClients(world, cluster);
        await Wait.UntilAsync(() => clients.Logins > 20, () => $"{clients.Logins} logins");

        for (var rotation = 2; rotation <= 3; rotation++)
        {
            var report = await world.RotateAsync();
            Assert.Equal(RotationOutcome.Rotated, report.Outcome);
        }

        var kept = await world.Kept.ReadAsync(world.Path, Ct);
        Assert.Equal((null, null), (kept.Pending, kept.Previous));
        Assert.True(await world.LetsInAsync(kept.Current!.Login!, kept.Current.Value));
        Assert.Equal("1", await postgres.AskAsync($"SELECT count(*) FROM pg_roles WHERE rolname IN ('{world.Login}', '{world.Login}_clone') AND rolcanlogin"));
        Assert.Superset(new HashSet<RotationStep> { RotationStep.Adopt, RotationStep.Create, RotationStep.Set, RotationStep.Promote, RotationStep.Publish, RotationStep.Refresh, RotationStep.Revoke }, losing!.Steps.ToHashSet());
        Assert.Empty(clients.Refusals);
        // Nor was anybody refused on our side: others count refused logins, and lock accounts for them.
        var refused = postgres.Log.Split('\n').Where(line => line.Contains(world.Login, StringComparison.Ordinal) && (line.Contains("authentication failed", StringComparison.Ordinal) || line.Contains("not permitted to log in", StringComparison.Ordinal))).ToList();
        Assert.True(refused.Count <= clients.Late, $"{clients.Late} clients were late, and there is:\n{string.Join('\n', refused)}");
    }

    private static async Task<string?> AskAsync(RotationWorld world, string login, string password, string query)
    {
        await using var connection = new Npgsql.NpgsqlConnection(world.ConnectionString(login, password));
        await connection.OpenAsync(Ct);
        await using var command = new Npgsql.NpgsqlCommand(query, connection);
        return (await command.ExecuteScalarAsync(Ct))?.ToString();
    }

    private static Task UntilAsync(WorkflowHandle<RotateSecret, RotateSecretReport> run, Func<RunbookStatus, bool> wanted)
    {
        RunbookStatus? last = null;
        return Wait.UntilAsync(async () => wanted(last = await run.QueryAsync(workflow => workflow.Status())), () => $"{last?.Phase}: {last?.Summary}", TimeSpan.FromMinutes(2));
    }

    /// <summary>In no history, memo, search attribute or failure of any run, and in no trace.</summary>
    internal static async Task NoValueIsSpokenAsync(RotationWorld world, IReadOnlyList<string> values)
    {
        var scan = new Starter.Demos.CanaryScan();
        foreach (var value in values)
            scan.LookFor("a value", value);
        var runs = await scan.LookAtRunsAsync(world.Client, Ct);
        // A verifier of PostgreSQL is no password, but by it one can be guessed.
        scan.LookFor("a verifier", "SCRAM-SHA-256$");
        scan.Look("traces", world.Traces.Text);
        Assert.Empty(scan.Found);
        Assert.True(runs > 0);
        // Nets have holes: those who did the work were heard.
        Assert.Superset(new HashSet<string> { "System.Net.Http", world.Subject is PostgresSubject ? "Npgsql" : "System.Net.Http" }, world.Traces.Sources.ToHashSet());
    }
}
