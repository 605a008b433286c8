namespace PlatformOps.Sandbox.Tests.Kubernetes;

public sealed class SandboxHostTests
{
    private const string Map = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"} }""";

    [Fact]
    public async Task The_next_process_finds_the_world_as_it_was_left()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string? version;
            await using (var before = await SandboxCluster.StartAsync(new() { Regions = [], DataFolder = folder }))
            {
                await before.CreateNamespaceAsync("shop");
                var (_, created) = await before.SendAsync("POST", "/api/v1/namespaces/shop/configmaps", Map);
                version = (string?)created["metadata"]!["resourceVersion"];
            }

            await using var after = await SandboxCluster.StartAsync(new() { Regions = [], DataFolder = folder });
            var (code, found) = await after.SendAsync("GET", "/api/v1/namespaces/shop/configmaps/x");
            Assert.Equal((200, version), (code, (string?)found["metadata"]!["resourceVersion"]));
            var (_, next) = await after.SendAsync("POST", "/api/v1/namespaces/shop/configmaps", Map.Replace("\"x\"", "\"y\"", StringComparison.Ordinal));
            Assert.True(long.Parse((string)next["metadata"]!["resourceVersion"]!, null) > long.Parse(version!, null));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Only_the_token_of_the_kubeconfig_may_call()
    {
        await using var cluster = await SandboxCluster.StartAsync();
        cluster.Client.DefaultRequestHeaders.Authorization = new("Bearer", "another");
        var (code, status) = await cluster.SendAsync("GET", "/api/v1/namespaces");
        Assert.Equal((401, "Unauthorized"), (code, (string?)status["reason"]));
    }

    [Fact]
    public async Task Calls_are_counted_by_what_they_may_do()
    {
        await using var cluster = await SandboxCluster.StartAsync();
        await cluster.CreateNamespaceAsync("shop");
        cluster.Region.ResetCounters();
        await cluster.SendAsync("POST", "/api/v1/namespaces/shop/configmaps", Map);
        await cluster.SendAsync("DELETE", "/api/v1/namespaces/shop/configmaps/x?dryRun=All");
        await cluster.SendAsync("GET", "/api/v1/namespaces/shop/configmaps/x");
        Assert.Equal((1, 2), (cluster.Region.MutatingCalls, cluster.Region.ReadCalls));
    }

    [Fact]
    public async Task A_fault_hits_the_calls_it_names_as_often_as_it_says()
    {
        await using var cluster = await SandboxCluster.StartAsync();
        cluster.Region.Inject(new() { Kind = FaultKind.Error, Method = "POST", Path = "/configmaps", StatusCode = 429, Times = 1 });
        var (first, _) = await cluster.SendAsync("POST", "/api/v1/namespaces/default/configmaps", Map);
        var (second, _) = await cluster.SendAsync("POST", "/api/v1/namespaces/default/configmaps", Map);
        Assert.Equal((429, 201), (first, second));
    }

    [Theory]
    [InlineData(FaultKind.Cut, 404)]
    [InlineData(FaultKind.CutAfterEffect, 200)]
    public async Task A_cut_call_has_its_effect_only_when_it_is_cut_after_it(FaultKind kind, int expected)
    {
        await using var cluster = await SandboxCluster.StartAsync();
        cluster.Region.Inject(new() { Kind = kind, Method = "POST" });
        await Assert.ThrowsAsync<HttpRequestException>(() => cluster.SendAsync("POST", "/api/v1/namespaces/default/configmaps", Map));
        var (code, _) = await cluster.SendAsync("GET", "/api/v1/namespaces/default/configmaps/x");
        Assert.Equal(expected, code);
    }

    [Fact]
    public async Task Options_that_cannot_work_are_named()
    {
        var problem = await Assert.ThrowsAsync<ArgumentException>(() => SandboxHost.StartAsync(
            new() { Regions = ["a"], Services = [new("b", "x", "y", "127.0.0.1:1")] }, TestContext.Current.CancellationToken));
        Assert.Contains("Services names the region b", problem.Message, StringComparison.Ordinal);
    }
}
