using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.BootstrapServer.Tests.Durability;

public sealed class BatchKillTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("batch-").FullName;

    [Fact]
    public async Task A_batch_goes_on_where_it_was_and_every_workflow_hears_it_once()
    {
        const int workflows = 16;
        var server = await StartAsync();
        try
        {
            var client = await ClientAsync(server);
            for (var i = 0; i < workflows; i++)
                await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new($"w-{i}", "nobody"));
            await client.WorkflowService.StartBatchOperationAsync(new()
            {
                Namespace = "default",
                JobId = "job",
                Reason = "because",
                VisibilityQuery = "WorkflowId STARTS_WITH 'w-'",
                MaxOperationsPerSecond = 5,
                SignalOperation = new() { Signal = "Note" },
            });
            await Wait.UntilAsync(async () => (await DescribeAsync(client)).CompleteOperationCount >= 6);
            server.Kill();
            server.Dispose();
            server = await StartAsync();
            client = await ClientAsync(server);
            Assert.True((await DescribeAsync(client)).CompleteOperationCount >= 6);
            await Wait.UntilAsync(async () => (await DescribeAsync(client)).State == BatchOperationState.Completed);
            Assert.Equal(workflows, (await DescribeAsync(client)).CompleteOperationCount);
            for (var i = 0; i < workflows; i++)
            {
                var history = await client.GetWorkflowHandle($"w-{i}").FetchHistoryAsync();
                Assert.Single(history.Events, e => e.EventType == EventType.WorkflowExecutionSignaled);
            }
        }
        finally
        {
            server.Dispose();
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task<ITemporalClient> ClientAsync(ServerProcess server) => await TemporalClient.ConnectAsync(new(server.Address));

    private static Task<DescribeBatchOperationResponse> DescribeAsync(ITemporalClient client) =>
        client.WorkflowService.DescribeBatchOperationAsync(new() { Namespace = "default", JobId = "job" });

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync("server", "start-dev", "--port", "0", "--db-filename", Path.Combine(folder, "state.db"));
}
