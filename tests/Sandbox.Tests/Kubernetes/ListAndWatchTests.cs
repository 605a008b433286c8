using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Tests.Kubernetes;

public sealed class ListAndWatchTests
{
    [Fact]
    public async Task Pages_add_up_to_the_whole_list()
    {
        await using var cluster = await WithConfigMapsAsync(7);
        var names = new List<string>();
        var next = "";
        do
        {
            var (_, page) = await cluster.SendAsync("GET", $"/api/v1/namespaces/shop/configmaps?limit=3&continue={Uri.EscapeDataString(next)}");
            names.AddRange(Names(page));
            next = (string?)page["metadata"]!["continue"] ?? "";
        }
        while (next.Length > 0);
        Assert.Equal(Enumerable.Range(0, 7).Select(index => $"c{index}"), names);
    }

    [Theory]
    [InlineData("labelSelector=parity=even", "c0 c2")]
    [InlineData("labelSelector=parity!=even", "c1 c3")]
    [InlineData("labelSelector=parity in (odd),index", "c1 c3")]
    [InlineData("labelSelector=parity notin (odd),!nothing", "c0 c2")]
    [InlineData("fieldSelector=metadata.name=c3", "c3")]
    public async Task Selectors_choose(string query, string expected)
    {
        await using var cluster = await WithConfigMapsAsync(4);
        var (_, list) = await cluster.SendAsync("GET", $"/api/v1/configmaps?{query.Replace(" ", "%20", StringComparison.Ordinal)}");
        Assert.Equal(expected.Split(' '), Names(list));
    }

    [Theory]
    [InlineData("labelSelector=a=b=c")]
    [InlineData("fieldSelector=data.x=1")]
    [InlineData("continue=nonsense")]
    public async Task A_selection_that_cannot_be_read_is_refused(string query)
    {
        await using var cluster = await WithConfigMapsAsync(1);
        var (code, _) = await cluster.SendAsync("GET", $"/api/v1/configmaps?{query}");
        Assert.Equal(400, code);
    }

    [Fact]
    public async Task A_watch_tells_everything_since_a_version_and_what_leaves_its_selection_as_deleted()
    {
        await using var cluster = await WithConfigMapsAsync(2);
        var (_, list) = await cluster.SendAsync("GET", "/api/v1/namespaces/shop/configmaps");
        await cluster.SendAsync("PATCH", "/api/v1/namespaces/shop/configmaps/c0", """{"data":{"a":"b"}}""", "application/merge-patch+json");
        await cluster.SendAsync("PATCH", "/api/v1/namespaces/shop/configmaps/c0", """{"metadata":{"labels":{"parity":"none"} } }""", "application/merge-patch+json");
        var events = await WatchAsync(cluster, $"labelSelector=parity=even&resourceVersion={(string)list["metadata"]!["resourceVersion"]!}", 2);
        Assert.Equal(["MODIFIED c0", "DELETED c0"], events);
    }

    [Fact]
    public async Task A_watch_without_a_version_starts_with_what_is_there()
    {
        await using var cluster = await WithConfigMapsAsync(2);
        Assert.Equal(["ADDED c0", "ADDED c1"], await WatchAsync(cluster, "", 2));
    }

    [Fact]
    public async Task A_watch_whose_past_is_forgotten_ends_with_410()
    {
        await using var cluster = await WithConfigMapsAsync(2);
        cluster.Region.Compact();
        using var answer = await cluster.Client.GetAsync("/api/v1/configmaps?watch=1&resourceVersion=2", TestContext.Current.CancellationToken);
        var line = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(("ERROR", 410), ((string?)line["type"], (int?)line["object"]!["code"]));
    }

    private static async Task<List<string>> WatchAsync(SandboxCluster cluster, string query, int count)
    {
        using var stream = await cluster.Client.GetStreamAsync($"/api/v1/namespaces/shop/configmaps?watch=1&{query}", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var events = new List<string>();
        while (events.Count < count && await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            var change = JsonNode.Parse(line)!;
            events.Add($"{change["type"]} {change["object"]!["metadata"]!["name"]}");
        }

        return events;
    }

    private static IEnumerable<string> Names(JsonObject list) => list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["name"]!);

    private static async Task<SandboxCluster> WithConfigMapsAsync(int count)
    {
        var cluster = await SandboxCluster.StartAsync();
        await cluster.CreateNamespaceAsync("shop");
        for (var index = 0; index < count; index++)
        {
            await cluster.SendAsync("POST", "/api/v1/namespaces/shop/configmaps", $$"""
                {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c{{index}}","labels":{"parity":"{{(index % 2 == 0 ? "even" : "odd")}}","index":"{{index}}"} } }
                """);
        }

        return cluster;
    }
}
