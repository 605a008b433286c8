using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Integration.Tests.Vault;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Sandbox.Vault;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Databases, roles and replication slots of a real PostgreSQL server.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class PostgresObjectTests(SandboxCluster cluster, PostgresCluster server)
{
    [Fact]
    public async Task Creates_once_changes_exactly_what_differs_and_leaves_what_others_set()
    {
        await using var platform = await PostgresPlatform.CreateAsync(cluster, server);
        var (orders, team, app) = (platform.Name("orders"), platform.Name("team"), platform.Name("app"));
        DeclareAll(platform, "{work_mem: 64MB, search_path: \"app, public\", log_min_duration_statement: 250}", "[pg_trgm, citext]", "[CONNECT, TEMPORARY]");

        Assert.All(PostgresPlatform.Objects(await platform.PlanAsync()), planned => Assert.Equal(PlannedAction.Create, planned.Action));
        var plan = await platform.PlanAsync();
        var first = await platform.ApplyAsync(plan: plan);
        Assert.All(first, outcome => Assert.Equal((ObjectResult.Created, "op-1"), (outcome.Result, outcome.OperationId)));
        Assert.Equal("app, public", await server.AskAsync("SHOW search_path", orders));
        Assert.Equal($"{team} UTF8 64MB", await server.AskAsync($"SELECT pg_get_userbyid(datdba) || ' ' || pg_encoding_to_char(encoding) || ' ' || current_setting('work_mem') FROM pg_database WHERE datname = '{orders}'", orders));
        Assert.Equal("True", await server.AskAsync($"SELECT has_database_privilege('{app}', '{orders}', 'TEMP') AND pg_has_role('{app}', '{team}', 'MEMBER') AND rolcanlogin AND rolconnlimit = 5 FROM pg_roles WHERE rolname = '{app}'"));

        // As an attempt whose answer was lost finds it; and as a second run does.
        Assert.Equal(first, await platform.ApplyAsync(plan: plan));
        Assert.All(PostgresPlatform.Objects(await platform.PlanAsync()), planned => Assert.Equal((PlannedAction.None, "As wanted."), (planned.Action, planned.Reason)));

        await server.SqlAsync($"ALTER DATABASE \"{orders}\" SET jit = off");
        await server.SqlAsync($"GRANT CREATE ON DATABASE \"{orders}\" TO \"{app}\"");
        DeclareAll(platform, "{work_mem: 32MB, search_path: \"app, public\"}", "[citext]", "[CONNECT]");
        Assert.Equal(
            ["spec.extensions", "spec.settings.log_min_duration_statement", "spec.settings.work_mem", "spec.grants"],
            PostgresPlatform.Objects(await platform.PlanAsync()).SelectMany(planned => planned.Changes).Select(change => change.Path));
        Assert.Equal(2, (await platform.ApplyAsync("op-2")).Count(outcome => outcome.Result == ObjectResult.Changed));

        Assert.All(PostgresPlatform.Objects(await platform.PlanAsync()), planned => Assert.Equal("As wanted.", planned.Reason));
        Assert.Equal("32MB off -1 citext", await server.AskAsync("SELECT concat_ws(' ', current_setting('work_mem'), current_setting('jit'), current_setting('log_min_duration_statement'), (SELECT string_agg(extname, ',') FROM pg_extension WHERE extname <> 'plpgsql'))", orders));
        Assert.Equal("CONNECT", await server.AskAsync($"SELECT string_agg(privilege_type, ',') FROM pg_database, aclexplode(datacl) WHERE datname = '{orders}' AND grantee = '\"{app}\"'::regrole"));

        // A database or role that is no longer declared stays; a slot, which holds the log, goes.
        platform.Declare(("Role", "team", "{}"), ("Database", "other", "{}"), ("ReplicationSlot", "slot_other", "{type: physical}"));
        Assert.Equal(
            [("Database", PlannedAction.None), ("ReplicationSlot", PlannedAction.Prune), ("ReplicationSlot", PlannedAction.Prune), ("Role", PlannedAction.None), ("Role", PlannedAction.None)],
            PostgresPlatform.Objects(await platform.PlanAsync()).Where(planned => planned.Action != PlannedAction.Create).Select(planned => (planned.Address.Kind, planned.Action)).Order());
        await platform.ApplyAsync("op-3");
        Assert.Equal("1", await server.AskAsync($"SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%{platform.Platform.Suffix}'"));
        await platform.RemoveAsync("op-3");
    }

    [Fact]
    public async Task What_is_left_of_a_component_that_was_switched_off_is_found_and_goes_when_it_may()
    {
        await using var platform = await PostgresPlatform.CreateAsync(cluster, server);
        platform.Declare(("Role", "team", "{}"), ("Database", "orders", "{}"), ("ReplicationSlot", "slot_app", "{type: physical}"));
        await platform.ApplyAsync();
        platform.Platform.Specify("{enabled: false}");

        var retired = (await platform.PlanAsync()).Components.Single(component => component.Retired).Objects;

        Assert.Equal(["Database orders", "ReplicationSlot slot_app", "Role team"], retired.Select(planned => $"{planned.Address.Kind} {planned.Address.Name.Split('-')[0].Replace($"_{platform.Platform.Suffix}", "", StringComparison.Ordinal)}").Order(StringComparer.Ordinal));
        Assert.All(retired, planned => Assert.Contains("but kept: ", planned.Reason, StringComparison.Ordinal));
        platform.Platform.Specify("{}");
        Assert.Equal(3, (await platform.RemoveAsync()).Count());
    }

    [Fact]
    public async Task Removes_only_its_own_and_nothing_that_is_used_or_holds_something()
    {
        await using var platform = await PostgresPlatform.CreateAsync(cluster, server);
        var (orders, theirs) = (platform.Name("orders"), platform.Name("theirs"));
        await server.SqlAsync($"CREATE DATABASE \"{theirs}\"");
        DeclareAll(platform, "{}", "[pg_trgm]", "[CONNECT]");
        await platform.ApplyAsync();

        await using (await server.ConnectAsync(orders))
            Assert.Contains("is in use by 1 sessions", await RefusedAsync(platform), StringComparison.Ordinal);
        await server.AskAsync("CREATE TABLE parcels (id int PRIMARY KEY)", orders);
        await server.UntilNobodyIsInAsync(orders);
        Assert.Contains("holds 1 tables, functions or other objects", await RefusedAsync(platform), StringComparison.Ordinal);
        await server.AskAsync("DROP TABLE parcels", orders);
        await server.UntilNobodyIsInAsync(orders);
        // Whose it is was settled otherwise meanwhile.
        await server.SqlAsync($"COMMENT ON ROLE \"{platform.Name("team")}\" IS 'of the team'");

        // What was created after the database went before it was looked at.
        Assert.Equal(orders, Assert.Single(await platform.RemoveAsync()));
        Assert.Empty(await platform.RemoveAsync());
        Assert.Equal("2", await server.AskAsync($"SELECT (SELECT count(*) FROM pg_database WHERE datname IN ('{theirs}', '{orders}')) + (SELECT count(*) FROM pg_roles WHERE rolname LIKE '%-{platform.Platform.Suffix}') + (SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%{platform.Platform.Suffix}')"));
    }

    [Theory]
    [InlineData("Database", "orders", "{}", "CREATE DATABASE \"{0}\"")]
    [InlineData("Role", "team", "{login: true}", "CREATE ROLE \"{0}\"; COMMENT ON ROLE \"{0}\" IS '{\"platformops\": {\"labels\": {\"app.kubernetes.io/managed-by\": 1}}}'")]
    [InlineData("ReplicationSlot", "slot", "{type: physical}", "SELECT pg_create_physical_replication_slot('{0}')")]
    public async Task What_somebody_else_has_under_that_name_is_a_conflict_and_not_touched(string kind, string name, string spec, string create)
    {
        await using var platform = await PostgresPlatform.CreateAsync(cluster, server);
        platform.Declare((kind, name, spec));
        var before = await platform.PlanAsync();
        await server.SqlAsync(create.Replace("{0}", platform.Name(name), StringComparison.Ordinal));

        Assert.Equal(PlannedAction.Conflict, Assert.Single(PostgresPlatform.Objects(await platform.PlanAsync())).Action);
        await platform.Platform.FailsAsync(FailureTypes.Conflict, () => platform.ApplyAsync(plan: before));
        Assert.Empty(await platform.RemoveAsync());
        Assert.Equal(PlannedAction.Conflict, Assert.Single(PostgresPlatform.Objects(await platform.PlanAsync())).Action);
        if (kind == "ReplicationSlot")
            await server.SqlAsync($"SELECT pg_drop_replication_slot('{platform.Name(name)}')");
    }

    [Fact]
    public async Task A_creation_that_ended_halfway_is_completed_and_shows_nothing_before()
    {
        await using var platform = await PostgresPlatform.CreateAsync(cluster, server);
        platform.Declare(("Database", "orders", "{extensions: [no_such_extension], settings: {work_mem: 1MB} }"));
        var failure = await platform.Platform.FailsAsync(FailureTypes.Rejected, () => platform.ApplyAsync());
        Assert.Contains("no_such_extension", failure.Message, StringComparison.Ordinal);
        Assert.Equal($"{platform.Name("orders")}.platformops", await server.AskAsync($"SELECT datname FROM pg_database WHERE datname LIKE '{platform.Name("orders")}%'"));

        platform.Declare(("Database", "orders", "{settings: {jit: \"off\"} }"));
        Assert.Equal(ObjectResult.Created, Assert.Single(await platform.ApplyAsync()).Result);

        Assert.Equal("As wanted.", Assert.Single(PostgresPlatform.Objects(await platform.PlanAsync())).Reason);
        Assert.Equal("4MB off", await server.AskAsync("SELECT current_setting('work_mem') || ' ' || current_setting('jit')", platform.Name("orders")));
        Assert.Equal(platform.Name("orders"), Assert.Single(await platform.RemoveAsync()));
    }

    [Fact]
    public async Task Wherever_an_attempt_is_cut_off_the_next_ones_end_with_exactly_one_of_everything()
    {
        await server.StartAsync();
        using var proxy = new CuttingProxy(server.Address);
        await using var platform = await PostgresPlatform.CreateAsync(cluster, server, address: proxy.Address);
        DeclareAll(platform, "{work_mem: 64MB}", "[pg_trgm]", "[CONNECT]");
        var plan = await platform.PlanAsync();
        Assert.All(await UntilDoneAsync(proxy, () => platform.ApplyAsync(plan: plan)), outcome => Assert.Equal((ObjectResult.Created, "op-1"), (outcome.Result, outcome.OperationId)));

        DeclareAll(platform, "{jit: \"off\"}", "[citext]", "[TEMPORARY]");
        plan = await platform.PlanAsync();
        Assert.Equal(2, (await UntilDoneAsync(proxy, () => platform.ApplyAsync("op-2", plan))).Count(outcome => outcome.Result == ObjectResult.Changed));
        Assert.All(PostgresPlatform.Objects(await platform.PlanAsync()), planned => Assert.Equal("As wanted.", planned.Reason));

        await UntilDoneAsync(proxy, () => platform.RemoveAsync());
        Assert.Equal("", await server.AskAsync($"""
            SELECT COALESCE(string_agg(name, ','), '') FROM (SELECT datname AS name FROM pg_database UNION ALL SELECT rolname FROM pg_roles UNION ALL SELECT slot_name FROM pg_replication_slots
              UNION ALL SELECT 'mark of ' || name FROM platformops.marks) there WHERE name LIKE '%{platform.Platform.Suffix}%'
            """));
    }

    [Theory]
    [InlineData("Database", "{settings: {jit: false} }", "spec.settings.jit is false: a text or number is expected")]
    [InlineData("Role", "{password: secret}", "spec.password is unknown")]
    [InlineData("Role", "{grants: [ {database: a, privileges: [SELECT]} ]}", "spec.grants[0].privileges has SELECT")]
    [InlineData("ReplicationSlot", "{type: logical, plugin: pgoutput}", "spec.database is missing")]
    public async Task What_cannot_be_is_refused_with_the_field_before_anything_is_done(string kind, string spec, string message)
    {
        await using var platform = await PostgresPlatform.CreateAsync(cluster, server);
        platform.Declare((kind, "wrong", spec));

        Assert.Contains(message, (await platform.Platform.FailsAsync(FailureTypes.Rejected, platform.PlanAsync)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fixed_field_is_a_conflict_and_a_sandbox_without_a_server_says_so()
    {
        await using var platform = await PostgresPlatform.CreateAsync(cluster, server);
        platform.Declare(("Database", "orders", "{encoding: UTF8}"));
        await platform.ApplyAsync();
        platform.Declare(("Database", "orders", "{encoding: LATIN1}"));
        Assert.Contains("spec.encoding is UTF8 and cannot become LATIN1", Assert.Single(PostgresPlatform.Objects(await platform.PlanAsync())).Reason, StringComparison.Ordinal);

        await using var sandbox = await PostgresPlatform.CreateAsync(cluster, server, played: true);
        sandbox.Declare(("Role", "team", "{}"));
        Assert.Contains("plays PostgreSQL of us-east-1 without a server", (await sandbox.Platform.FailsAsync(FailureTypes.Rejected, sandbox.PlanAsync)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Our_login_is_one_that_Vault_made_and_another_one_when_that_is_refused()
    {
        await using var vault = await SandboxVault.StartAsync(new() { Database = PostgresStatements.RunAsync }, TestContext.Current.CancellationToken);
        using var root = VaultConnection.Open(new("tests", vault.Address), new GivenToken(new(vault.RootToken)));
        await new VaultSystem(root).MountAsync("users", "database", TestContext.Current.CancellationToken);
        await using var engine = await PostgresEngine.StartAsync(server, root, "users", "ours");
        await engine.RoleAsync("ours", TimeSpan.FromHours(1), TimeSpan.FromHours(2), "SUPERUSER");
        var token = Path.GetTempFileName();
        await File.WriteAllTextAsync(token, vault.RootToken, TestContext.Current.CancellationToken);
        var access = new PostgresAccess(server.Address, CertificateAuthority: server.Authority, VaultRole: "ours", VaultMount: "users");
        await using (var platform = await PostgresPlatform.CreateAsync(cluster, server, changed: region => region with { Postgresql = access, Vault = new(vault.Address.AbsoluteUri, TokenFile: token) }))
        {
            platform.Declare(("Role", "team", "{}"));
            await platform.ApplyAsync();
            var first = Assert.Single(await engine.LeasesOfAsync("ours"));
            await engine.Leases.RevokeAsync(first, TestContext.Current.CancellationToken);

            // Each attempt has its own connections: one is refused, and then another login is made.
            await platform.PlanAsync();
            Assert.Equal("As wanted.", Assert.Single(PostgresPlatform.Objects(await platform.PlanAsync())).Reason);
            Assert.NotEqual(first, Assert.Single(await engine.LeasesOfAsync("ours")));
            await server.SqlAsync($"DROP ROLE \"{platform.Name("team")}\"");
        }

        await using var twice = await PostgresPlatform.CreateAsync(cluster, server, changed: region => region with { Postgresql = access with { User = "somebody" } });
        twice.Declare(("Role", "team", "{}"));
        Assert.Contains("regions.us-east-1.postgresql states vaultRole and a user", (await twice.Platform.FailsAsync(FailureTypes.Rejected, twice.PlanAsync)).Message, StringComparison.Ordinal);
        File.Delete(token);
    }

    /// <summary>As Temporal does: what may be tried again is. Each attempt gets a little further than the one before.</summary>
    private static async Task<T> UntilDoneAsync<T>(CuttingProxy proxy, Func<Task<T>> activity)
    {
        for (var pieces = 0; ; pieces += 6)
        {
            proxy.CutAfter(pieces);
            try
            {
                return await activity();
            }
            catch (ApplicationFailureException failure) when (!failure.NonRetryable && pieces < 1000)
            {
                Assert.Contains(failure.ErrorType, new[] { FailureTypes.Unavailable, FailureTypes.FactsChanged });
            }
            finally
            {
                proxy.CutAfter(int.MaxValue);
            }
        }
    }

    private static void DeclareAll(PostgresPlatform platform, string settings, string extensions, string privileges) => platform.Declare(
        ("Role", "team", "{}"),
        ("Database", "orders", $"{{owner: \"{platform.Name("team")}\", encoding: UTF8, extensions: {extensions}, settings: {settings}}}"),
        ("Role", "app", $"{{login: true, connectionLimit: 5, memberOf: [\"{platform.Name("team")}\"], grants: [ {{database: \"{platform.Name("orders")}\", privileges: {privileges}}} ], settings: {{statement_timeout: 30s}} }}"),
        ("ReplicationSlot", "slot_copy", "{type: physical}"),
        ("ReplicationSlot", "slot_feed", "{type: logical, plugin: pgoutput, database: postgres}"));

    private static async Task<string> RefusedAsync(PostgresPlatform platform) => (await platform.Platform.FailsAsync(FailureTypes.NotRemoved, () => platform.RemoveAsync())).Message;
}
