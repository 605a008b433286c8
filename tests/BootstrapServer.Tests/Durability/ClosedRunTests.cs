using Microsoft.Data.Sqlite;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Client;
using Temporalio.Common;

namespace PlatformOps.BootstrapServer.Tests.Durability;

/// <summary>Closed runs are in the file, not in memory: lists read them slice by slice, also after a start.</summary>
public sealed class ClosedRunTests : IDisposable
{
    private const int Closed = 300;
    private static readonly SearchAttributeKey<long> Number = SearchAttributeKey.CreateLong("Number");
    private readonly string folder = Directory.CreateTempSubdirectory("closed-").FullName;

    private string File => Path.Combine(folder, "state.db");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lists_open_and_closed_runs_in_one_order(bool durable)
    {
        await using var server = await StartAsync(durable);
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        await FillAsync(client);
        await CheckAsync(client);
    }

    [Fact]
    public async Task Lists_the_same_after_a_start()
    {
        await using (var server = await StartAsync(durable: true))
            await FillAsync(await TemporalClient.ConnectAsync(new(server.Address)));
        await using var again = await StartAsync(durable: true);
        await CheckAsync(await TemporalClient.ConnectAsync(new(again.Address)));
    }

    [Fact]
    public async Task Takes_a_file_of_the_format_before_along()
    {
        await using (var server = await StartAsync(durable: true))
            await FillAsync(await TemporalClient.ConnectAsync(new(server.Address)));
        Sql("DROP TABLE closed; PRAGMA user_version = 1");
        await using (var again = await StartAsync(durable: true))
            await CheckAsync(await TemporalClient.ConnectAsync(new(again.Address)));
        await using var third = await StartAsync(durable: true);
        await CheckAsync(await TemporalClient.ConnectAsync(new(third.Address)));
    }

    [Fact]
    public async Task Remembers_search_attributes_that_only_an_earlier_start_was_given()
    {
        await (await StartAsync(durable: true)).DisposeAsync();
        await using var again = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { DatabaseFile = File });
        var client = await TemporalClient.ConnectAsync(new(again.Address));
        Assert.True((await client.OperatorService.ListSearchAttributesAsync(new() { Namespace = "default" })).CustomAttributes.ContainsKey("Number"));
        Assert.Equal(0, (await client.CountWorkflowsAsync("Number = 1")).Count);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task FillAsync(ITemporalClient client)
    {
        await Task.WhenAll(Enumerable.Range(0, Closed).Select(async n =>
        {
            var attributes = new SearchAttributeCollection.Builder().Set(Number, n).ToSearchAttributeCollection();
            var handle = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new($"closed-{n % 100}-{n / 100}", "nobody") { TypedSearchAttributes = attributes });
            await handle.TerminateAsync();
        }));
        for (var n = 0; n < 3; n++)
        {
            var again = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("often", "nobody"));
            await again.TerminateAsync();
        }
        for (var n = 0; n < 5; n++)
            await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(n == 4 ? "often" : $"open-{n}", "nobody"));
    }

    private static async Task CheckAsync(ITemporalClient client)
    {
        var listed = new List<WorkflowExecution>();
        byte[]? token = null;
        do
        {
            var page = await client.ListWorkflowsPaginatedAsync("", token, new() { PageSize = 37 });
            listed.AddRange(page.Workflows);
            token = page.NextPageToken is { Length: > 0 } next ? next : null;
        }
        while (token is not null);
        Assert.Equal(Closed + 3 + 5, listed.Select(w => w.RunId).Distinct().Count());
        Assert.Equal(Closed + 3 + 5, listed.Count);
        Assert.Equal(
            listed.OrderByDescending(w => w.CloseTime ?? DateTime.MaxValue).ThenByDescending(w => w.StartTime).ThenBy(w => w.RunId, StringComparer.Ordinal).Select(w => w.RunId),
            listed.Select(w => w.RunId));

        Assert.Equal(Closed, (await client.CountWorkflowsAsync("Number >= 0")).Count);
        Assert.Equal(5, (await client.CountWorkflowsAsync("ExecutionStatus = 'Running'")).Count);
        Assert.Equal(5, (await client.CountWorkflowsAsync("CloseTime IS NULL")).Count);
        Assert.Equal(4, (await client.CountWorkflowsAsync("WorkflowId = 'often'")).Count);
        Assert.Equal(3, (await client.CountWorkflowsAsync("WorkflowId IN ('often') AND ExecutionStatus = 'Terminated'")).Count);
        Assert.Equal(2, (await client.CountWorkflowsAsync("WorkflowId = 'open-1' OR WorkflowId = 'open-2'")).Count);
        var sorted = await client.ListWorkflowsPaginatedAsync("Number >= 10 ORDER BY Number", null, new() { PageSize = 3 });
        Assert.Equal([10L, 11, 12], sorted.Workflows.Select(w => w.TypedSearchAttributes.Get(Number)));
        var then = await client.ListWorkflowsPaginatedAsync("Number >= 10 ORDER BY Number", sorted.NextPageToken, new() { PageSize = 3 });
        Assert.Equal([13L, 14, 15], then.Workflows.Select(w => w.TypedSearchAttributes.Get(Number)));
    }

    private Task<BootstrapServerHost> StartAsync(bool durable) => BootstrapServerHost.StartAsync(new BootstrapServerOptions
    {
        DatabaseFile = durable ? File : null,
        SearchAttributes = new Dictionary<string, Temporalio.Api.Enums.V1.IndexedValueType> { ["Number"] = Temporalio.Api.Enums.V1.IndexedValueType.Int },
    });

    private void Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
