using System.Net;
using System.Text;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Planning and applying against a Kubernetes API.</summary>
public abstract class ApplyTests(TestCluster cluster)
{
    private const int Objects = 8;

    [Fact]
    public async Task Applies_a_plan_and_a_second_run_changes_nothing_and_answers_the_same()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var plan = (await platform.PlanAsync()).Plan;
        Assert.Empty(platform.Proxy.Mutations);
        Assert.All(plan.Components.SelectMany(component => component.Objects), planned => Assert.Equal(PlannedAction.Create, planned.Action));

        var first = await platform.ProvisionAsync();
        Assert.Equal(Objects, first.Count);
        Assert.All(first, outcome => Assert.Equal((ObjectResult.Created, "op-1"), (outcome.Result, outcome.OperationId)));
        Assert.Equal(Objects, platform.Proxy.Mutations.Count);

        platform.Proxy.Forget();
        var again = new List<ObjectOutcome>();
        foreach (var component in plan.Components)
            again.AddRange((await platform.ApplyAsync(plan, component.Component)).Objects);
        Assert.Equal(first, again);
        var second = (await platform.PlanAsync()).Plan;
        Assert.All(second.Components.SelectMany(component => component.Objects), planned => Assert.Equal((PlannedAction.None, "As wanted."), (planned.Action, planned.Reason)));
        Assert.All(await platform.ProvisionAsync("op-2"), outcome => Assert.Equal((ObjectResult.Unchanged, "op-1"), (outcome.Result, outcome.OperationId)));
        Assert.Empty(platform.Proxy.Mutations);
        Assert.Equal(second.Hash, (await platform.PlanAsync()).Plan.Hash);
    }

    [Fact]
    public async Task An_attempt_that_was_killed_between_two_objects_is_completed_by_the_next()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var plan = (await platform.PlanAsync()).Plan;
        await platform.ApplyAsync(plan, "ground");
        platform.Proxy.Forget();
        using var dying = new CancellationTokenSource();
        // The third change takes effect, and its answer is never heard.
        platform.Proxy.Answered = _ =>
        {
            if (platform.Proxy.Mutations.Count == 3)
                dying.Cancel();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => platform.ApplyAsync(plan, "app", environment: new ActivityEnvironment { CancellationTokenSource = dying }));
        Assert.Equal(3, platform.Proxy.Mutations.Count);
        var report = await platform.ApplyAsync(plan, "app");

        Assert.All(report.Objects, outcome => Assert.Equal(ObjectResult.Created, outcome.Result));
        Assert.Equal(5, platform.Proxy.Mutations.Count);
        Assert.Equal(Objects, (await platform.ListAsync()).Objects.Count);
    }

    [Fact]
    public async Task A_failure_reports_what_was_done_before_it()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var plan = (await platform.PlanAsync()).Plan;
        await platform.ApplyAsync(plan, "ground");
        platform.Proxy.Intercept = call => Task.FromResult<(HttpStatusCode, string)?>(
            call.Mutates && call.Path.Contains("/services/", StringComparison.Ordinal) ? (HttpStatusCode.ServiceUnavailable, """{"kind":"Status","message":"etcd is away"}""") : null);

        var failure = await platform.FailsAsync(FailureTypes.Unavailable, () => platform.ApplyAsync(plan, "app"));

        Assert.False(failure.NonRetryable);
        Assert.Contains("etcd is away", failure.Message, StringComparison.Ordinal);
        var report = Assert.IsType<ComponentReport>(failure.Details.ElementAt<ComponentReport>(0));
        Assert.Equal(["credentials", "settings", "extra"], report.Objects.Select(outcome => outcome.Address.Name));
    }

    [Fact]
    public async Task Changes_only_what_differs_and_keeps_who_created_it()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        platform.Specify("{color: red}");
        platform.Proxy.Forget();

        var outcomes = await platform.ProvisionAsync("op-2");

        var changed = Assert.Single(outcomes, outcome => outcome.Result != ObjectResult.Unchanged);
        Assert.Equal(("settings", ObjectResult.Changed), (changed.Address.Name, changed.Result));
        Assert.Single(platform.Proxy.Mutations);
        using var kubectl = new KubectlLike(cluster);
        var live = await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "settings"));
        Assert.Equal("red", (string?)live!["data"]!["color"]);
        Assert.Equal(("op-2", "op-1"), ((string?)live["metadata"]!["annotations"]![Ownership.OperationIdAnnotation], (string?)live["metadata"]!["annotations"]![Ownership.CreatedByAnnotation]));
    }

    [Fact]
    public async Task Refuses_with_the_difference_when_the_facts_are_no_longer_those_of_the_plan()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        platform.Specify("{color: red}");
        var plan = (await platform.PlanAsync()).Plan;
        using var kubectl = new KubectlLike(cluster);
        await kubectl.DeleteAsync(KubectlLike.ConfigMap(platform.Space, "settings"));
        platform.Proxy.Forget();

        var failure = await platform.FailsAsync(FailureTypes.FactsChanged, () => platform.ApplyAsync(plan, "app", "op-2"));

        Assert.True(failure.NonRetryable);
        Assert.Contains($"ConfigMap {platform.Space}/settings was planned as: change data.color blue -> red; now it is: create (It does not exist.)", failure.Message, StringComparison.Ordinal);
        Assert.Empty(platform.Proxy.Mutations);
    }

    [Fact]
    public async Task Refuses_before_anything_is_changed_when_a_field_belongs_to_another_manager()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        platform.Specify("{color: red, image: \"registry.example.com/web:2\"}");
        var plan = (await platform.PlanAsync()).Plan;
        using var kubectl = new KubectlLike(cluster);
        await kubectl.ApplyAsync(
            KubectlLike.ConfigMap(platform.Space, "settings"),
            $$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":"{{platform.Space}}"},"data":{"color":"green"} }""", "painter");
        platform.Proxy.Forget();

        var failure = await platform.FailsAsync(FailureTypes.Conflict, () => platform.ApplyAsync(plan, "app", "op-2"));

        Assert.Contains("data.color is owned by painter", failure.Message, StringComparison.Ordinal);
        Assert.Empty(platform.Proxy.Mutations);
        Assert.Equal(ObjectResult.Conflict, Assert.Single(failure.Details.ElementAt<ComponentReport>(0).Objects).Result);
    }

    [Fact]
    public async Task Leaves_an_object_alone_that_somebody_else_owns()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ApplyAsync((await platform.PlanAsync()).Plan, "ground");
        var plan = (await platform.PlanAsync()).Plan;
        using var kubectl = new KubectlLike(cluster);
        await kubectl.CreateAsync(
            $"/api/v1/namespaces/{platform.Space}/configmaps?fieldManager=helm",
            """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","labels":{"app.kubernetes.io/managed-by":"Helm"}},"data":{"color":"pink"}}""");
        platform.Proxy.Forget();

        var failure = await platform.FailsAsync(FailureTypes.Conflict, () => platform.ApplyAsync(plan, "app"));

        Assert.Contains("belongs to Helm", failure.Message, StringComparison.Ordinal);
        Assert.Empty(platform.Proxy.Mutations);
    }

    [Fact]
    public async Task Gives_back_an_object_that_somebody_else_created_at_the_same_moment()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var plan = (await platform.PlanAsync()).Plan;
        await platform.ApplyAsync(plan, "ground");
        using var kubectl = new KubectlLike(cluster);
        var created = false;
        platform.Proxy.Intercept = async call =>
        {
            if (!created && call.Mutates && call.Path.Contains("/configmaps/settings", StringComparison.Ordinal))
            {
                created = true;
                await kubectl.CreateAsync($"/api/v1/namespaces/{platform.Space}/configmaps?fieldManager=helm", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"shape":"round"}}""");
            }

            return null;
        };

        var failure = await platform.FailsAsync(FailureTypes.FactsChanged, () => platform.ApplyAsync(plan, "app"));

        Assert.Contains("was created by helm at the same moment", failure.Message, StringComparison.Ordinal);
        var live = await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "settings"));
        Assert.Equal("""{"shape":"round"}""", live!["data"]!.ToJsonString());
        Assert.Null(live["metadata"]!["labels"]);
        Assert.Null(live["metadata"]!["annotations"]);
    }

    [Fact]
    public async Task Prunes_what_is_ours_and_no_longer_declared_where_the_guard_rails_allow_it()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        platform.Specify("{extra: false}", mayDestroy: false);
        var kept = (await platform.PlanAsync()).Plan.Components.Single(component => component.Component == "app").Objects.Single(planned => planned.Address.Name == "extra");
        Assert.Equal(PlannedAction.None, kept.Action);

        platform.Specify("{extra: false}");
        platform.Proxy.Forget();
        var outcomes = await platform.ProvisionAsync("op-2");

        Assert.Equal("extra", Assert.Single(outcomes, outcome => outcome.Result == ObjectResult.Pruned).Address.Name);
        var deletion = Assert.Single(platform.Proxy.Mutations);
        Assert.Contains("\"uid\":", deletion.Body, StringComparison.Ordinal);
        Assert.Contains("\"resourceVersion\":", deletion.Body, StringComparison.Ordinal);
        using var kubectl = new KubectlLike(cluster);
        Assert.Null(await kubectl.GetAsync(KubectlLike.ConfigMap(platform.Space, "extra")));
    }

    [Fact]
    public async Task Secret_values_are_made_once_and_leave_the_activity_only_for_the_cluster()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        using var kubectl = new KubectlLike(cluster);
        var secret = await kubectl.GetAsync(KubectlLike.Secret(platform.Space, "credentials"));
        var encoded = (string)secret!["data"]!["password"]!;
        var password = Encoding.UTF8.GetString(Convert.FromBase64String(encoded));
        Assert.Equal(32, password.Length);

        await platform.ProvisionAsync("op-2");
        await platform.ListAsync();

        Assert.Equal(secret.ToJsonString(), (await kubectl.GetAsync(KubectlLike.Secret(platform.Space, "credentials")))!.ToJsonString());
        Assert.DoesNotContain(platform.Spoken, text => text.Contains(password, StringComparison.Ordinal) || text.Contains(encoded, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_repeats_a_secret_in_its_refusal_is_not_quoted()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var plan = (await platform.PlanAsync()).Plan;
        await platform.ApplyAsync(plan, "ground");
        var value = "";
        platform.Proxy.Intercept = call =>
        {
            if (call.Method != "POST")
                return Task.FromResult<(HttpStatusCode, string)?>(null);
            value = call.Body.Split("\"password\":\"")[1].Split('"')[0];
            return Task.FromResult<(HttpStatusCode, string)?>((HttpStatusCode.UnprocessableEntity,
                $$$"""{"kind":"Status","reason":"Invalid","message":"Invalid value: {{{value}}}","details":{"causes":[{"reason":"FieldValueInvalid","field":"data.password","message":"Invalid value: {{{value}}}"}]}}"""));
        };

        var failure = await platform.FailsAsync(FailureTypes.Rejected, () => platform.ApplyAsync(plan, "app"));

        Assert.Contains("data.password: FieldValueInvalid", failure.Message, StringComparison.Ordinal);
        Assert.NotEmpty(value);
        Assert.DoesNotContain(platform.Spoken, text => text.Contains(value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lists_in_pages()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await platform.ProvisionAsync();
        platform.Proxy.Rewrite = path => path.Replace("limit=500", "limit=1", StringComparison.Ordinal);
        platform.Proxy.Forget();

        Assert.Equal(Objects, (await platform.ListAsync()).Objects.Count);
        Assert.Contains(platform.Proxy.Seen, call => call.Path.Contains("continue=", StringComparison.Ordinal));
    }
}

public sealed class ApplyTestsOnTheSandbox(SandboxCluster cluster) : ApplyTests(cluster);

public sealed class ApplyTestsOnARealApiServer(RealApiServer cluster) : ApplyTests(cluster);
