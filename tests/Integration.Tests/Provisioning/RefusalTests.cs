using System.Net;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Bad input and a world that refuses: each message names the thing and the next step.</summary>
public abstract class RefusalTests(TestCluster cluster)
{
    [Fact]
    public async Task An_expired_token_is_named_with_region_context_address_and_where_to_renew_it()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var kubeconfig = cluster.Kubeconfig(platform.Proxy.Address, "expired");

        var failure = await platform.FailsAsync(FailureTypes.Unauthorized, () => platform.PlanAsync(platform.ActivitiesWith(kubeconfig)));

        Assert.True(failure.NonRetryable);
        Assert.Equal(
            $"The Kubernetes API of us-east-1 ({platform.Proxy.Address.ToString().TrimEnd('/')}, context test) does not know who we are (401 Unauthorized): the token or certificate is wrong or has expired. Renew the credentials in {kubeconfig}, then retry.",
            failure.Message);
    }

    [Fact]
    public async Task Renewed_credentials_are_taken_up_without_a_restart()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var kubeconfig = cluster.Kubeconfig(platform.Proxy.Address, "expired");
        var activities = platform.ActivitiesWith(kubeconfig);
        await platform.FailsAsync(FailureTypes.Unauthorized, () => platform.PlanAsync(activities));

        File.WriteAllText(kubeconfig, File.ReadAllText(kubeconfig).Replace("\"expired\"", $"\"{cluster.Token}\"", StringComparison.Ordinal));
        File.SetLastWriteTimeUtc(kubeconfig, DateTime.UtcNow.AddMinutes(1));

        Assert.NotEmpty((await platform.PlanAsync(activities)).Plan.Components);
    }

    [Fact]
    public async Task A_refusal_names_verb_and_resource()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Proxy.Intercept = call => Task.FromResult<(HttpStatusCode, string)?>(call.Path.StartsWith("/api/v1/configmaps", StringComparison.Ordinal)
            ? (HttpStatusCode.Forbidden, """{"kind":"Status","reason":"Forbidden","message":"configmaps is forbidden: User \"limited\" cannot list resource \"configmaps\""}""")
            : null);

        var failure = await platform.FailsAsync(FailureTypes.Forbidden, () => platform.PlanAsync());

        Assert.True(failure.NonRetryable);
        Assert.Contains("does not let us list configmaps (403 Forbidden)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("context test", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_permissions_are_all_named_before_anything_is_changed()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Proxy.Intercept = call => Task.FromResult<(HttpStatusCode, string)?>(
            call.Path.EndsWith("/selfsubjectaccessreviews", StringComparison.Ordinal)
                ? (HttpStatusCode.Created, call.Body.Contains("\"secrets\"", StringComparison.Ordinal) || call.Body.Contains("\"*\"", StringComparison.Ordinal)
                    ? """{"status": {"allowed": false}}"""
                    : """{"status": {"allowed": true}}""")
                : null);

        var failure = await platform.FailsAsync(FailureTypes.Forbidden, () => platform.PlanAsync());

        Assert.Contains($"does not let us do what the plan takes: create, patch, delete Secret (v1) in {platform.Space}. Nothing was changed.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("context test", failure.Message, StringComparison.Ordinal);
        Assert.Empty(platform.Proxy.Mutations);
    }

    [Fact]
    public async Task A_quota_that_is_one_pod_short_is_named_before_anything_is_changed()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Write("catalog/ground/objects.yaml", $"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {platform.Space}}}\n---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: quota}}\nspec: {{hard: {{pods: \"1\"}}}}\n");

        var failure = await platform.FailsAsync(FailureTypes.QuotaExceeded, () => platform.PlanAsync());

        Assert.Equal(
            $"us-east-1 ResourceQuota {platform.Space}/quota limits pods to 1; 0 are in use and this plan needs 2 more, 1 too many (Deployment web 2). Raise the quota, or ask for less.\nNothing was changed.",
            failure.Message);
        Assert.Empty(platform.Proxy.Mutations);
    }

    [Fact]
    public async Task A_chart_does_not_go_where_Helm_is_in_the_middle_of_a_release()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        using var kubectl = new KubectlLike(cluster);
        await kubectl.CreateAsync("/api/v1/namespaces", $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{platform.Space}}}"}}""");
        platform.Write("catalog/delivery/component.yaml", $"name: delivery\nsummary: Installs charts.\nplane: test\nnamespace: {platform.Space}\nprovides: [argoproj.io/v1alpha1/Application]\nhealth: []\nmanifests: [objects.yaml]\n");
        platform.Write("catalog/delivery/objects.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: delivery}\ndata: {}\n");
        platform.Write("catalog/search/component.yaml", $"name: search\nsummary: A chart.\nplane: test\nnamespace: {platform.Space}\ndependsOn: [delivery]\ndelivery: gitops\nchart: {{repository: \"https://charts.example.com\", name: search, version: 1.2.3}}\nhealth: []\n");
        platform.Write("specification/platform.yaml", platform.PlatformOf("{delivery: {}, search: {} }"));
        platform.Write($"specification/environments/{platform.Environment}.yaml", platform.Read($"specification/environments/{platform.Environment}.yaml").Replace("  app: {}", "  search: {}", StringComparison.Ordinal));
        await ReleaseAsync(6, "superseded");
        await ReleaseAsync(7, "pending-upgrade");

        var failure = await platform.FailsAsync(FailureTypes.Conflict, () => platform.PlanAsync());

        Assert.True(failure.NonRetryable);
        Assert.Contains($"the Helm release {platform.Space}/search, which is pending-upgrade at revision 7 since 2025-11-25 19:46 UTC", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("\nNothing was changed.", failure.Message, StringComparison.Ordinal);
        Assert.Empty(platform.Proxy.Mutations);

        await kubectl.DeleteAsync($"/api/v1/namespaces/{platform.Space}/secrets/sh.helm.release.v1.search.v7");
        Assert.NotEmpty((await platform.PlanAsync()).Plan.Components);

        Task ReleaseAsync(int revision, string status) => kubectl.CreateAsync(
            $"/api/v1/namespaces/{platform.Space}/secrets",
            $$$"""{"apiVersion":"v1","kind":"Secret","type":"helm.sh/release.v1","metadata":{"name":"sh.helm.release.v1.search.v{{{revision}}}","labels":{"owner":"helm","name":"search","version":"{{{revision}}}","status":"{{{status}}}","modifiedAt":"1764100000"}},"stringData":{"release":"H4sI"}}""");
    }

    [Fact]
    public async Task An_API_that_is_out_of_reach_is_named_with_its_address_and_tried_again()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var nobody = new Uri("https://127.0.0.1:1");

        var failure = await platform.FailsAsync(
            FailureTypes.Unavailable, () => platform.PlanAsync(platform.ActivitiesWith(cluster.Kubeconfig(nobody, "any"))));

        Assert.False(failure.NonRetryable);
        Assert.Contains("The Kubernetes API of us-east-1 (https://127.0.0.1:1, context test) cannot be reached: Connection refused", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_that_is_not_of_an_API_server_never_counts_as_absence()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Proxy.Intercept = call => Task.FromResult<(HttpStatusCode, string)?>(
            call.Path.Contains("/namespaces/", StringComparison.Ordinal) ? (HttpStatusCode.NotFound, "<html>no such page</html>") : null);

        await platform.FailsAsync(FailureTypes.Unavailable, () => platform.PlanAsync());
    }

    [Fact]
    public async Task Waits_as_long_as_the_API_asks()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Proxy.Intercept = call => Task.FromResult<(HttpStatusCode, string)?>(
            (HttpStatusCode.TooManyRequests, """{"kind":"Status","message":"too many requests","details":{"retryAfterSeconds":7}}"""));

        var failure = await platform.FailsAsync(FailureTypes.Throttled, () => platform.PlanAsync());

        Assert.Equal((false, TimeSpan.FromSeconds(7)), (failure.NonRetryable, failure.NextRetryDelay!.Value));
    }

    [Fact]
    public async Task A_kubeconfig_without_the_context_lists_those_that_it_has_and_its_current_one_is_not_taken()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var kubeconfig = cluster.Kubeconfig(platform.Proxy.Address, cluster.Token, context: "other");

        var failure = await platform.FailsAsync(FailureTypes.Rejected, () => platform.PlanAsync(platform.ActivitiesWith(kubeconfig)));

        Assert.Contains("has no context test for us-east-1; it has: other, somewhere-else", failure.Message, StringComparison.Ordinal);
        Assert.Empty(platform.Proxy.Seen);
    }

    [Fact]
    public async Task A_kind_that_the_cluster_does_not_serve_is_named()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Write("catalog/app/settings.yaml", "{apiVersion: example.com/v1, kind: Gadget, metadata: {name: settings}, spec: {color: \"${color}\"}}");

        var failure = await platform.FailsAsync(FailureTypes.NotServed, () => platform.PlanAsync());

        Assert.Contains("does not serve Gadget of example.com/v1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_specification_that_is_wrong_is_answered_with_all_problems()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Specify("{color: [red], sound: loud}");

        var failure = await platform.FailsAsync(FailureTypes.InvalidSpecification, () => platform.PlanAsync());

        Assert.Contains($"environments.{platform.Environment}.components.app.color", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"environments.{platform.Environment}.components.app.sound", failure.Message, StringComparison.Ordinal);
        Assert.Empty(platform.Proxy.Seen);
    }

    [Fact]
    public async Task A_specification_that_is_not_YAML_is_answered_with_file_and_line()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        platform.Specify("{color: red");

        var failure = await platform.FailsAsync(FailureTypes.InvalidSpecification, () => platform.PlanAsync());

        Assert.Contains($"environments/{platform.Environment}.yaml:", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_folder_is_named()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        Directory.Delete(platform.SpecificationFolder, recursive: true);

        var failure = await platform.FailsAsync(FailureTypes.InvalidSpecification, () => platform.PlanAsync());

        Assert.Contains(platform.SpecificationFolder, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_environment_or_component_is_answered_with_the_possible_ones()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);

        var environment = await platform.FailsAsync(FailureTypes.InvalidInput, () => platform.RunAsync(() => platform.Activities.PlanEnvironmentAsync(new("moon"))));
        var component = await platform.FailsAsync(FailureTypes.InvalidInput, () => platform.PlanAsync(components: ["ground", "moon"]));

        Assert.Contains($"Field 'environment' is 'moon'", environment.Message, StringComparison.Ordinal);
        Assert.Contains($"Possible: {platform.Environment}.", environment.Message, StringComparison.Ordinal);
        Assert.Contains("Field 'components' names 'moon'", component.Message, StringComparison.Ordinal);
        Assert.Contains("Possible: ground, app.", component.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_specification_that_changed_since_the_plan_is_refused()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var plan = (await platform.PlanAsync()).Plan;
        platform.Specify("{color: red}");

        var failure = await platform.FailsAsync(FailureTypes.SpecificationChanged, () => platform.ApplyAsync(plan, "ground"));

        Assert.True(failure.NonRetryable);
        Assert.Empty(platform.Proxy.Mutations);
    }
}

public sealed class RefusalTestsOnTheSandbox(SandboxCluster cluster) : RefusalTests(cluster);

public sealed class RefusalTestsOnARealApiServer(RealApiServer cluster) : RefusalTests(cluster)
{
    private readonly RealApiServer cluster = cluster;

    [Fact]
    public async Task A_user_without_rights_is_told_what_to_grant()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        var limited = platform.ActivitiesWith(cluster.Kubeconfig(platform.Proxy.Address, "limited-token"));

        var failure = await platform.FailsAsync(FailureTypes.Forbidden, () => platform.PlanAsync(limited));

        Assert.Contains("User \"limited\" cannot", failure.Message, StringComparison.Ordinal);
    }
}
