using Microsoft.Extensions.Time.Testing;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Batches;

public class BatchRetentionTests
{
    [Fact]
    public async Task An_ended_batch_is_listed_until_the_retention_of_its_namespace_is_over()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { TimeProvider = clock }, TestContext.Current.CancellationToken);
        var calls = (await TemporalClient.ConnectAsync(new(server.Address))).WorkflowService;
        var batch = new StartBatchOperationRequest { Namespace = "default", JobId = "job", Reason = "because", VisibilityQuery = "WorkflowId = 'nobody'", TerminationOperation = new() };
        await calls.StartBatchOperationAsync(batch);
        await Wait.UntilAsync(async () => (await ListAsync()).Single() == BatchOperationState.Completed);
        clock.Advance(TimeSpan.FromHours(23));
        Assert.Single(await ListAsync());
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Empty(await ListAsync());
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => calls.DescribeBatchOperationAsync(new() { Namespace = "default", JobId = "job" }));
        await calls.StartBatchOperationAsync(batch);

        async Task<List<BatchOperationState>> ListAsync() => [.. (await calls.ListBatchOperationsAsync(new() { Namespace = "default" })).OperationInfo.Select(o => o.State)];
    }
}
