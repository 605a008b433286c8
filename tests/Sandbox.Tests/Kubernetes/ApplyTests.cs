using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Tests.Kubernetes;

public sealed class ApplyTests
{
    private const string Path = "/apis/apps/v1/namespaces/shop/deployments/web";

    [Fact]
    public async Task An_apply_creates_and_the_same_apply_again_changes_nothing()
    {
        await using var cluster = await ShopAsync();
        var (created, first) = await cluster.ApplyAsync(Path, Deployment());
        var (repeated, second) = await cluster.ApplyAsync(Path, Deployment());
        Assert.Equal((201, 200), (created, repeated));
        Assert.Equal(Version(first), Version(second));
        Assert.Equal("RollingUpdate", (string?)first["spec"]!["strategy"]!["type"]);
        Assert.Equal(1, (int?)first["metadata"]!["generation"]);
    }

    [Fact]
    public async Task A_field_of_another_manager_is_refused_by_name_and_taken_by_force()
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Path, Deployment(replicas: 2));
        var (code, refused) = await cluster.ApplyAsync(Path, Deployment(replicas: 5), manager: "somebody");
        Assert.Equal(409, code);
        Assert.Equal("Apply failed with 1 conflict: conflict with \"platformops\": .spec.replicas", (string?)refused["message"]);
        Assert.Equal(".spec.replicas", (string?)refused["details"]!["causes"]![0]!["field"]);

        var (forced, taken) = await cluster.ApplyAsync(Path, Deployment(replicas: 5), manager: "somebody", force: true);
        Assert.Equal(200, forced);
        Assert.Equal(5, (int?)taken["spec"]!["replicas"]);
        var (after, _) = await cluster.ApplyAsync(Path, Deployment(replicas: 2));
        Assert.Equal(409, after);
    }

    [Fact]
    public async Task What_is_no_longer_stated_goes_unless_another_manager_states_it_too()
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Path, Deployment(extra: """,{"name":"side","image":"side:1"}"""));
        await cluster.ApplyAsync(Path, Labels("""{"team":"shop"}"""), manager: "labels");
        var (_, without) = await cluster.ApplyAsync(Path, Deployment());
        Assert.Equal(["web"], without["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Select(container => (string)container!["name"]!));
        Assert.Equal("shop", (string?)without["metadata"]!["labels"]!["team"]);

        var (_, bare) = await cluster.ApplyAsync(Path, Labels("{}"), manager: "labels");
        Assert.Null(bare["metadata"]!["labels"]);
    }

    [Fact]
    public async Task A_change_by_update_takes_the_field_from_its_manager()
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Path, Deployment(replicas: 2));
        await cluster.SendAsync("PATCH", $"{Path}?fieldManager=scaler", """{"spec":{"replicas":7}}""", "application/merge-patch+json");
        var (code, refused) = await cluster.ApplyAsync(Path, Deployment(replicas: 2));
        Assert.Equal(409, code);
        Assert.Contains("conflict with \"scaler\" using apps/v1: .spec.replicas", (string?)refused["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quantities_in_another_form_are_no_change()
    {
        await using var cluster = await ShopAsync();
        var (_, first) = await cluster.ApplyAsync(Path, Deployment(resources: """{"cpu":"1000m","memory":"1024Mi"}"""));
        var (_, second) = await cluster.ApplyAsync(Path, Deployment(resources: """{"cpu":"1","memory":"1Gi"}"""));
        Assert.Equal(Version(first), Version(second));
        Assert.Equal("1Gi", (string?)first["spec"]!["template"]!["spec"]!["containers"]![0]!["resources"]!["requests"]!["memory"]);
    }

    [Fact]
    public async Task A_dry_run_answers_and_stores_nothing()
    {
        await using var cluster = await ShopAsync();
        var (code, _) = await cluster.SendAsync("PATCH", $"{Path}?fieldManager=platformops&dryRun=All", Deployment(), "application/apply-patch+yaml");
        var (after, _) = await cluster.SendAsync("GET", Path);
        Assert.Equal((201, 404), (code, after));
    }

    private static async Task<SandboxCluster> ShopAsync()
    {
        var cluster = await SandboxCluster.StartAsync();
        await cluster.CreateNamespaceAsync("shop");
        return cluster;
    }

    private static string? Version(JsonObject value) => (string?)value["metadata"]!["resourceVersion"];

    private static string Labels(string labels) =>
        $$"""{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","labels":{{labels}} } }""";

    private static string Deployment(int replicas = 1, string extra = "", string resources = "{}") => $$"""
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
         "spec":{"replicas":{{replicas}},"selector":{"matchLabels":{"app":"web"} },
                 "template":{"metadata":{"labels":{"app":"web"} },
                             "spec":{"containers":[{"name":"web","image":"web:1","ports":[{"containerPort":80}],"resources":{"requests":{{resources}} } }{{extra}}] } } } }
        """;
}
