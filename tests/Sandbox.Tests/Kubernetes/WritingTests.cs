namespace PlatformOps.Sandbox.Tests.Kubernetes;

public sealed class WritingTests
{
    private const string Web = "/apis/apps/v1/namespaces/shop/deployments/web";

    [Fact]
    public async Task Every_problem_of_an_object_is_named_at_once()
    {
        await using var cluster = await ShopAsync();
        var (code, status) = await cluster.SendAsync("POST", "/apis/apps/v1/namespaces/shop/deployments", """
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"Web"},
             "spec":{"replicas":-1,"selector":{"matchLabels":{"app":"web"} },"template":{"metadata":{"labels":{"app":"other"} },"spec":{"containers":[{"name":"web"}]} } } }
            """);
        Assert.Equal(422, code);
        Assert.Equal(
            ["metadata.name", "spec.replicas", "spec.template.metadata.labels", "spec.template.spec.containers[0].image"],
            status["details"]!["causes"]!.AsArray().Select(cause => (string)cause!["field"]!));
    }

    [Fact]
    public async Task An_update_from_an_older_version_is_refused()
    {
        await using var cluster = await ShopAsync();
        var (_, first) = await cluster.ApplyAsync(Web, Deployment());
        await cluster.SendAsync("PATCH", Web, """{"spec":{"replicas":3} }""", "application/merge-patch+json");
        first["spec"]!["replicas"] = 9;
        var (code, status) = await cluster.SendAsync("PUT", Web, first.ToJsonString());
        Assert.Equal((409, "Conflict"), (code, (string?)status["reason"]));
    }

    [Fact]
    public async Task The_selector_of_a_deployment_cannot_be_changed()
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Web, Deployment());
        var (code, status) = await cluster.ApplyAsync(Web, Deployment().Replace("\"web\"", "\"other\"", StringComparison.Ordinal).Replace("\"name\":\"other\"}", "\"name\":\"web\"}", StringComparison.Ordinal));
        Assert.Equal(422, code);
        Assert.Contains("spec.selector: Invalid value", (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_and_specification_are_written_through_their_own_paths_only()
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Web, Deployment());
        await cluster.SendAsync("PATCH", Web, """{"status":{"replicas":9} }""", "application/merge-patch+json");
        var (_, after) = await cluster.SendAsync("PATCH", $"{Web}/status", """{"status":{"replicas":4},"spec":{"replicas":8} }""", "application/merge-patch+json");
        Assert.Equal((4, 1, 1), ((int?)after["status"]!["replicas"], (int?)after["spec"]!["replicas"], (int?)after["metadata"]!["generation"]));
    }

    [Theory]
    [InlineData("application/json-patch+json", """[{"op":"replace","path":"/spec/replicas","value":6}]""")]
    [InlineData("application/merge-patch+json", """{"spec":{"replicas":6} }""")]
    [InlineData("application/strategic-merge-patch+json", """{"spec":{"replicas":6} }""")]
    public async Task Every_kind_of_patch_changes_what_it_says(string type, string patch)
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Web, Deployment());
        var (code, after) = await cluster.SendAsync("PATCH", Web, patch, type);
        Assert.Equal((200, 6, 2), (code, (int?)after["spec"]!["replicas"], (int?)after["metadata"]!["generation"]));
    }

    [Fact]
    public async Task A_json_patch_whose_test_fails_changes_nothing()
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Web, Deployment());
        var (code, _) = await cluster.SendAsync("PATCH", Web, """[{"op":"replace","path":"/spec/replicas","value":6},{"op":"test","path":"/spec/replicas","value":1}]""", "application/json-patch+json");
        var (_, after) = await cluster.SendAsync("GET", Web);
        Assert.Equal((422, 1), (code, (int?)after["spec"]!["replicas"]));
    }

    [Fact]
    public async Task A_strategic_patch_merges_lists_by_their_keys()
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Web, Deployment());
        var (_, after) = await cluster.SendAsync(
            "PATCH", Web, """{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"},{"name":"web","$patch":"delete"}]} } } }""", "application/strategic-merge-patch+json");
        Assert.Equal("side", (string?)Assert.Single(after["spec"]!["template"]!["spec"]!["containers"]!.AsArray())!["name"]);
    }

    [Fact]
    public async Task The_scale_of_a_workload_is_read_and_written()
    {
        await using var cluster = await ShopAsync();
        await cluster.ApplyAsync(Web, Deployment());
        var (_, scale) = await cluster.SendAsync("GET", $"{Web}/scale");
        scale["spec"]!["replicas"] = 5;
        await cluster.SendAsync("PUT", $"{Web}/scale", scale.ToJsonString());
        var (_, after) = await cluster.SendAsync("GET", Web);
        Assert.Equal(("app=web", 5), ((string?)scale["status"]!["selector"], (int?)after["spec"]!["replicas"]));
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"} }""", 400)]
    [InlineData("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"other"} }""", 400)]
    [InlineData("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{} }""", 422)]
    public async Task A_body_that_is_not_what_the_path_takes_is_refused(string body, int expected)
    {
        await using var cluster = await ShopAsync();
        var (code, _) = await cluster.SendAsync("POST", "/api/v1/namespaces/shop/configmaps", body);
        Assert.Equal(expected, code);
    }

    private static string Deployment() => """
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
         "spec":{"selector":{"matchLabels":{"app":"web"} },"template":{"metadata":{"labels":{"app":"web"} },"spec":{"containers":[{"name":"web","image":"web:1"}]} } } }
        """;

    private static async Task<SandboxCluster> ShopAsync()
    {
        var cluster = await SandboxCluster.StartAsync();
        await cluster.CreateNamespaceAsync("shop");
        return cluster;
    }
}
