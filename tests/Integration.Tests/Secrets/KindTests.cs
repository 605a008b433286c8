using PlatformOps.Adapters.Codec;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>Each kind of credential, rotated by a worker: consumers are let in at every moment, every step may be lost, and in the end one credential is left.</summary>
public sealed class KindTests(SandboxCluster cluster)
{
    /// <summary>As in <c>docs/catalog.md</c>.</summary>
    public const string GitLab = """
        kind: service-token
            api:
              service: gitlab
              create: {post: api/v4/projects/42/access_tokens, body: {name: "{rotation}", scopes: [read_api], expires_at: "{expires}"}, id: id, value: token}
              list: {get: "api/v4/projects/42/access_tokens?per_page=100", id: id, rotation: name}
              test: {get: api/v4/personal_access_tokens/self, id: id}
              revoke: {delete: "api/v4/projects/42/access_tokens/{id}"}
        """;

    /// <summary>As in <c>docs/catalog.md</c>.</summary>
    public const string Grafana = """
        kind: service-password
            usernameKey: username
            api:
              service: grafana
              set: {put: api/admin/users/1/password, body: {password: "{value}"}}
              test: {get: api/user}
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_user_of_redis_has_two_passwords_while_both_are_needed_and_a_restart_forgets_nothing()
    {
        await using var redis = new RedisSubject();
        var (before, after) = await RotatesAsync(redis, times: 2);
        // Nor was anybody refused on our side.
        Assert.Equal("", (await redis.RefusalsAsync()).Trim());
        await redis.RestartAsync();
        Assert.True(await redis.LetsInAsync(after.Login, after.Password, ""));
        Assert.False(await redis.LetsInAsync(before.Login, before.Password, ""));
    }

    [Fact]
    public async Task Users_of_elasticsearch_take_turns()
    {
        await using var elasticsearch = new ElasticsearchSubject();
        var (before, after) = await RotatesAsync(elasticsearch, times: 2);
        // After two turns it is the first user again, with another password.
        Assert.Equal(("elastic", "elastic"), (before.Login, after.Login));
    }

    [Fact]
    public async Task Access_keys_of_an_IAM_user()
    {
        await using var subject = new IamSubject();
        await RotatesAsync(subject);
    }

    [Fact]
    public async Task Secret_ids_of_an_AppRole()
    {
        await using var subject = new AppRoleSubject();
        await RotatesAsync(subject);
    }

    [Fact]
    public async Task Tokens_of_Vault()
    {
        await using var subject = new VaultTokenSubject();
        await RotatesAsync(subject);
    }

    [Fact]
    public async Task Tokens_of_GitLab()
    {
        await using var subject = new ServiceSubject("gitlab", GitLab);
        await RotatesAsync(subject);
    }

    /// <summary>Consumers are refused from the moment it is set until they are restarted: the kind says so.</summary>
    [Fact]
    public async Task The_password_of_Grafanas_admin()
    {
        await using var subject = new ServiceSubject("grafana", Grafana);
        await RotatesAsync(subject, patient: true);
    }

    [Fact]
    public async Task Keys_of_the_payload_codec_are_with_everybody_before_one_encrypts_and_old_ones_still_decrypt()
    {
        await using var codec = new CodecKeySubject();
        LosingActivities? losing = null;
        await using var world = await RotationWorld.StartAsync(cluster, codec, wrapped: inner => losing = new(inner, [RotationStep.Create, RotationStep.Promote, RotationStep.Publish, RotationStep.Refresh, RotationStep.Revoke]), leaveSubject: true);
        await using var clients = new PodClients(world, cluster);
        await Wait.UntilAsync(() => clients.Logins > 20, () => $"{clients.Logins} logins");
        var before = await world.PublishedAsync();

        var report = await world.RotateAsync();

        // One version hands the key out, the next one switches to it.
        Assert.Equal((RotationOutcome.Rotated, 3), (report.Outcome, report.Version));
        Assert.Empty(clients.Refusals);
        var after = CodecKeyFiles.ReadText((await world.PublishedAsync()).Password, "the Secret");
        Assert.Equal((2, false), (after.All.Count(), after.IsHandedOut));
        Assert.Equal(CodecKeyFiles.ReadText(before.Password, "the Secret").Active.Fingerprint, after.Find("first")!.Fingerprint);
        Assert.Equal(["first", after.Active.Id], codec.Used);
        Assert.Contains(RotationStep.Publish, losing!.Steps);
        var kept = await world.Kept.ReadAsync(world.Path, Ct);
        Assert.Equal((null, null), (kept.Pending, kept.Previous));
        await RotationTests.NoValueIsSpokenAsync(world, [.. kept.Current!.Value.Reveal().Split(',').Select(entry => entry.Split(':')[1])]);
    }

    [Fact]
    public async Task A_switch_that_a_terminated_run_has_left_open_is_found_and_made_up_for()
    {
        await using var codec = new CodecKeySubject();
        await using var world = await RotationWorld.StartAsync(cluster, codec, leaveSubject: true);
        var (_, text) = await world.PublishedAsync();
        // As a run leaves it that was terminated between the two.
        var half = CodecKeyFiles.ReadText(text, "the Secret").WithAnother(new(2026, 11, 25));
        await world.Kept.PromoteAsync(world.Path, new("rotate-1", null, half.Write(), 0), 0, Ct);
        await world.PublishAsync(world.Login, half.Write().Reveal());

        var found = Assert.Single((await world.Platform.RunAsync(() => world.Activities.FindSecretsAsync(new(world.Platform.Environment, null)))).Secrets);
        Assert.True(found.Unfinished);
        Assert.Equal(RotationOutcome.Rotated, (await world.RotateAsync()).Outcome);
        var after = CodecKeyFiles.ReadText((await world.PublishedAsync()).Password, "the Secret");
        Assert.Equal(("2026-11-25", 2), (after.Active.Id, after.All.Count()));
    }

    [Fact]
    public async Task What_was_issued_and_never_answered_is_ended()
    {
        await using var roles = new AppRoleSubject();
        await using (var world = await RotationWorld.StartAsync(cluster, roles, leaveSubject: true))
        {
            await roles.LoseAsync("rotate-1");
            await roles.LoseAsync("somebody-elses");
            Assert.Equal(RotationOutcome.Rotated, (await (await world.BeginAsync(operationId: "rotate-1")).GetResultAsync()).Outcome);
            Assert.Equal(2, await roles.AcceptedAsync());
        }

        await using var iam = new IamSubject();
        await using (var world = await RotationWorld.StartAsync(cluster, iam, leaveSubject: true))
        {
            await world.Kept.IntendAsync(world.Path, [iam.First], Ct);
            await iam.LoseAsync();
            Assert.Equal(RotationOutcome.Rotated, (await world.RotateAsync()).Outcome);
            Assert.Equal(1, await iam.AcceptedAsync());
        }
    }

    [Fact]
    public async Task A_second_access_key_that_is_not_ours_is_never_deleted()
    {
        var iam = new IamSubject();
        await using var world = await RotationWorld.StartAsync(cluster, iam);
        await iam.LoseAsync();
        var run = await world.BeginAsync();
        var said = "";
        await Wait.UntilAsync(async () => (said = (await run.QueryAsync(workflow => workflow.Status())).Summary).Contains("AWS allows no more", StringComparison.Ordinal), () => said);
        Assert.Equal(2, await iam.AcceptedAsync());
    }

    /// <summary>Its nodes take a changed Secret up by themselves, and nothing shows that they did, as long as both keys are good.</summary>
    [Fact]
    public async Task An_access_key_is_active_again_when_snapshots_cannot_be_written_without_it()
    {
        await using var keys = new SnapshotKeySubject();
        await using var world = await RotationWorld.StartAsync(cluster, keys, leaveSubject: true);
        var first = keys.NodesHave;
        var run = await world.BeginAsync();
        var said = "";
        await Wait.UntilAsync(async () => (said = (await run.QueryAsync(workflow => workflow.Status())).Summary).Contains("made active again", StringComparison.Ordinal), () => said);
        Assert.Contains("verify the repository backups", said, StringComparison.Ordinal);
        Assert.True(await keys.LetsInAsync(first, "", ""));

        keys.NodesHave = (await world.PublishedAsync()).Login;
        await run.ExecuteUpdateAsync(workflow => workflow.RetryStepAsync(new StepInput("revoke")));

        Assert.Equal(RotationOutcome.Rotated, (await run.GetResultAsync()).Outcome);
        Assert.False(await keys.LetsInAsync(first, "", ""));
        Assert.True(await keys.LetsInAsync(keys.NodesHave, "", ""));
    }

    private async Task<((string Login, string Password) Before, (string Login, string Password) After)> RotatesAsync(RotatedSubject subject, int times = 1, bool patient = false)
    {
        await using var world = await RotationWorld.StartAsync(cluster, subject, wrapped: inner => new LosingActivities(inner, [RotationStep.Create, RotationStep.Set, RotationStep.Revoke]), leaveSubject: true);
        await using var clients = new PodClients(world, cluster);
        await Wait.UntilAsync(() => clients.Logins > 20, () => $"{clients.Logins} logins");
        var before = await world.PublishedAsync();

        for (var rotation = 2; rotation <= times + 1; rotation++)
            Assert.Equal((RotationOutcome.Rotated, rotation), (await world.RotateAsync()) is var report ? (report.Outcome, report.Version) : default);

        var after = await world.PublishedAsync();
        Assert.NotEqual(before.Password, after.Password);
        Assert.True(await subject.LetsInAsync(after.Login, after.Password, ""));
        if (!patient)
            Assert.Empty(clients.Refusals);
        if (subject is not RedisSubject)
            Assert.False(await subject.LetsInAsync(before.Login, before.Password, ""));
        if (await subject.AcceptedAsync() is { } accepted)
            Assert.Equal(1, accepted);
        var kept = await world.Kept.ReadAsync(world.Path, Ct);
        Assert.Equal((null, times + 1, null), (kept.Pending, kept.Current!.Version, kept.Previous));
        Assert.Equal(after.Password, kept.Current.Value.Reveal());
        await RotationTests.NoValueIsSpokenAsync(world, [before.Password, after.Password]);
        return (before, after);
    }
}
