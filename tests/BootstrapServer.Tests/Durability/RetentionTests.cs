using Microsoft.Extensions.Time.Testing;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Durability;

public class RetentionTests
{
    [Fact]
    public async Task Deletes_closed_runs_and_no_others_when_their_retention_is_over()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { TimeProvider = clock }, TestContext.Current.CancellationToken);
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        var closed = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("closed", "nobody"));
        var open = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("open", "nobody"));
        await closed.TerminateAsync();
        clock.Advance(TimeSpan.FromHours(23));
        await closed.DescribeAsync();
        clock.Advance(TimeSpan.FromHours(2));
        await Wait.UntilAsync(() => Wait.FailsAsync(() => closed.DescribeAsync()));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => closed.FetchHistoryAsync());
        Assert.Equal(1, (await client.CountWorkflowsAsync("")).Count);
        await open.DescribeAsync();
    }
}
