using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nobody_is_called_for_a_run_that_is_deleted_before_the_next_attempt(bool byRetention)
    {
        await using var receiver = new CallbackReceiver(failures: int.MaxValue);
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { TimeProvider = clock }, TestContext.Current.CancellationToken);
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        var deleted = await EndAsync("deleted");
        if (byRetention)
            await PassRetentionAsync();
        else
            await client.WorkflowService.DeleteWorkflowExecutionAsync(new() { Namespace = "default", WorkflowExecution = new() { WorkflowId = deleted.Id } });
        await Wait.UntilAsync(() => Wait.FailsAsync(() => deleted.DescribeAsync()));
        await EndAsync("kept");
        var calls = CallsFor("deleted");

        clock.Advance(TimeSpan.FromMinutes(10));
        await Wait.UntilAsync(() => Task.FromResult(CallsFor("kept") > 1));
        Assert.Equal(calls, CallsFor("deleted"));

        // Attempt by attempt, so that none is on its way when the run goes.
        async Task PassRetentionAsync()
        {
            await client.WorkflowService.UpdateNamespaceAsync(new() { Namespace = "default", Config = new() { WorkflowExecutionRetentionTtl = Duration.FromTimeSpan(TimeSpan.FromHours(1)) } });
            var over = clock.GetUtcNow().AddMinutes(61);
            for (var next = await NextAsync(); next < over; next = await NextAsync())
            {
                var before = CallsFor("deleted");
                clock.SetUtcNow(next);
                await Wait.UntilAsync(async () => CallsFor("deleted") > before && await NextAsync() > next);
            }
            clock.SetUtcNow(over);
        }

        async Task<DateTimeOffset> NextAsync() => (await deleted.RawAsync()).Callbacks[0].NextAttemptScheduleTime.ToDateTimeOffset();

        int CallsFor(string id) => receiver.Calls.Count(c => c.Headers["my-header"] == id);

        async Task<WorkflowHandle> EndAsync(string id)
        {
            await client.WorkflowService.StartWorkflowExecutionAsync(new()
            {
                Namespace = "default",
                WorkflowId = id,
                WorkflowType = new() { Name = "WaitingWorkflow" },
                TaskQueue = new() { Name = "nobody" },
                RequestId = id,
                CompletionCallbacks = { receiver.Callback(id) },
            });
            var handle = client.GetWorkflowHandle(id);
            await handle.TerminateAsync();
            await Wait.UntilAsync(async () => (await handle.RawAsync()).Callbacks is [{ State: CallbackState.BackingOff }]);
            return handle;
        }
    }
}
