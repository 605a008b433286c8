namespace PlatformOps.Sandbox.Tests.Kubernetes;

public sealed class RemovalTests
{
    private const string Maps = "/api/v1/namespaces/shop/configmaps";

    [Fact]
    public async Task What_has_a_finalizer_stays_until_it_is_taken_off()
    {
        await using var cluster = await ShopAsync();
        await cluster.SendAsync("POST", Maps, Map("held", "\"example.com/hold\""));
        var (_, marked) = await cluster.SendAsync("DELETE", $"{Maps}/held");
        Assert.NotNull(marked["metadata"]!["deletionTimestamp"]);
        await cluster.SendAsync("PATCH", $"{Maps}/held", """{"metadata":{"finalizers":null} }""", "application/merge-patch+json");
        var (code, _) = await cluster.SendAsync("GET", $"{Maps}/held");
        Assert.Equal(404, code);
    }

    [Theory]
    [InlineData("uid")]
    [InlineData("resourceVersion")]
    public async Task A_precondition_that_does_not_hold_refuses_and_removes_nothing(string precondition)
    {
        await using var cluster = await ShopAsync();
        await cluster.SendAsync("POST", Maps, Map("kept"));
        var (refused, status) = await cluster.SendAsync("DELETE", $"{Maps}/kept", $$"""{"preconditions":{"{{precondition}}":"7777"} }""");
        var (there, _) = await cluster.SendAsync("GET", $"{Maps}/kept");
        Assert.Equal((409, 200), (refused, there));
        Assert.Contains("Precondition failed", (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_removes_nothing()
    {
        await using var cluster = await ShopAsync();
        await cluster.SendAsync("POST", Maps, Map("kept"));
        await cluster.SendAsync("DELETE", $"{Maps}/kept?dryRun=All");
        var (code, _) = await cluster.SendAsync("GET", $"{Maps}/kept");
        Assert.Equal(200, code);
    }

    [Fact]
    public async Task A_collection_is_removed_by_its_selector_only()
    {
        await using var cluster = await ShopAsync();
        await cluster.SendAsync("POST", Maps, Map("gone"));
        await cluster.SendAsync("POST", Maps, Map("kept").Replace("\"app\":\"x\"", "\"app\":\"y\"", StringComparison.Ordinal));
        await cluster.SendAsync("DELETE", $"{Maps}?labelSelector=app=x");
        var (_, list) = await cluster.SendAsync("GET", Maps);
        Assert.Equal("kept", (string?)Assert.Single(list["items"]!.AsArray())!["metadata"]!["name"]);
    }

    [Fact]
    public async Task Nothing_is_created_where_the_namespace_does_not_exist()
    {
        await using var cluster = await ShopAsync();
        var (code, status) = await cluster.SendAsync("POST", "/api/v1/namespaces/nowhere/configmaps", Map("lost"));
        Assert.Equal((404, "namespaces \"nowhere\" not found"), (code, (string?)status["message"]));
    }

    [Fact]
    public async Task A_definition_goes_with_its_objects()
    {
        await using var cluster = await ShopAsync();
        var (created, _) = await cluster.SendAsync("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", """
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"boxes.example.com"},
             "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"boxes","kind":"Box"},
                     "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["size"],
                       "properties":{"size":{"type":"integer","minimum":1},"color":{"type":"string","default":"red"} } } } } } }]} }
            """);
        var (invalid, problem) = await cluster.SendAsync("POST", "/apis/example.com/v1/namespaces/shop/boxes", Box("0"));
        var (accepted, box) = await cluster.SendAsync("POST", "/apis/example.com/v1/namespaces/shop/boxes", Box("3"));
        Assert.Equal((201, 422, 201), (created, invalid, accepted));
        Assert.Contains("spec.size", (string?)problem["message"], StringComparison.Ordinal);
        Assert.Equal("red", (string?)box["spec"]!["color"]);
        Assert.Null(box["spec"]!["unknown"]);

        await cluster.SendAsync("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/boxes.example.com");
        var (gone, _) = await cluster.SendAsync("GET", "/apis/example.com/v1/namespaces/shop/boxes");
        Assert.Equal(404, gone);
    }

    private static string Box(string size) =>
        $$"""{"apiVersion":"example.com/v1","kind":"Box","metadata":{"name":"b"},"spec":{"size":{{size}},"unknown":1} }""";

    private static string Map(string name, string finalizers = "") =>
        $$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{name}}","labels":{"app":"x"},"finalizers":[{{finalizers}}]} }""";

    private static async Task<SandboxCluster> ShopAsync()
    {
        var cluster = await SandboxCluster.StartAsync();
        await cluster.CreateNamespaceAsync("shop");
        return cluster;
    }
}
