using System.Globalization;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Starting;

public class WorkflowRetryTests(SharedServer server)
{
    [Fact]
    public async Task Runs_a_failed_workflow_again_until_it_succeeds()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<FlakyWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (FlakyWorkflow w) => w.RunAsync(3, false), new(id: "retry-" + queue, taskQueue: queue) { RetryPolicy = Policy });
            Assert.Equal("attempt 3", await handle.GetResultAsync());
            var first = (await server.Client.GetWorkflowHandle(handle.Id, handle.ResultRunId).EventsAsync())[^1];
            Assert.Equal(EventType.WorkflowExecutionFailed, first.EventType);
            Assert.Equal(RetryState.InProgress, first.WorkflowExecutionFailedEventAttributes.RetryState);
            var second = server.Client.GetWorkflowHandle(handle.Id, first.WorkflowExecutionFailedEventAttributes.NewExecutionRunId);
            var started = (await second.EventsAsync())[0].WorkflowExecutionStartedEventAttributes;
            Assert.Equal((2, handle.ResultRunId, ContinueAsNewInitiator.Retry), (started.Attempt, started.FirstExecutionRunId, started.Initiator));
            Assert.Equal("not yet", started.ContinuedFailure.Message);
        });
    }

    [Theory]
    [InlineData(true, RetryState.NonRetryableFailure)]
    [InlineData(false, RetryState.MaximumAttemptsReached)]
    public async Task Gives_up_when_the_policy_or_the_failure_says_so(bool nonRetryable, RetryState state)
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<FlakyWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (FlakyWorkflow w) => w.RunAsync(99, nonRetryable), new(id: "retry-" + queue, taskQueue: queue) { RetryPolicy = Policy });
            await Failures.OfAsync<ApplicationFailureException>(handle);
            var last = (await server.Client.GetWorkflowHandle(handle.Id).EventsAsync())[^1];
            Assert.Equal(state, last.WorkflowExecutionFailedEventAttributes.RetryState);
        });
    }

    [Fact]
    public async Task Runs_again_by_cron_with_the_last_result_until_it_is_terminated()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<CountingWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (CountingWorkflow w) => w.RunAsync(), new(id: "cron-" + queue, taskQueue: queue) { CronSchedule = "@every 1s" });
            var latest = server.Client.GetWorkflowHandle(handle.Id);
            await Wait.UntilAsync(async () =>
            {
                var started = (await latest.EventsAsync())[0].WorkflowExecutionStartedEventAttributes;
                return started.LastCompletionResult is { } last && int.Parse(last.Payloads_[0].Data.ToStringUtf8(), CultureInfo.InvariantCulture) >= 2;
            });
            await latest.TerminateAsync();
        });
    }

    private static RetryPolicy Policy => new() { InitialInterval = TimeSpan.FromMilliseconds(20), MaximumAttempts = 4 };

    [Workflow]
    public class FlakyWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync(int successAt, bool nonRetryable) => Workflow.Info.Attempt >= successAt
            ? Task.FromResult($"attempt {Workflow.Info.Attempt}")
            : throw new ApplicationFailureException("not yet", "NotYet", nonRetryable);
    }

    [Workflow]
    public class CountingWorkflow
    {
        [WorkflowRun]
        public Task<int> RunAsync() => Task.FromResult(
            Workflow.Info.LastResult?.Count > 0 ? (int)Workflow.PayloadConverter.ToValue(Workflow.Info.LastResult.First().Payload, typeof(int))! + 1 : 1);
    }
}
