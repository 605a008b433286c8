using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Batch.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace PlatformOps.BootstrapServer.Tests.Batches;

/// <summary>Each test has a namespace of its own: one batch of a namespace runs at a time.</summary>
public class BatchTests(SharedServer server)
{
    [Fact]
    public async Task Signals_every_open_workflow_that_its_query_selects_and_no_other()
    {
        var client = await NamespaceAsync(server);
        var all = await StartAsync(client, "signalled", 3);
        await all[2].TerminateAsync();
        var other = Assert.Single(await StartAsync(client, "other", 1));
        await ListedAsync(client, "WorkflowId STARTS_WITH 'signalled' AND ExecutionStatus = 'Running'", 2);

        var batch = new StartBatchOperationRequest
        {
            VisibilityQuery = "WorkflowId STARTS_WITH 'signalled'",
            SignalOperation = new() { Signal = "Note", Input = new() { Payloads_ = { new Payload() } }, Identity = "an operator" },
        };
        var described = await RunAsync(client, batch);
        Assert.Equal((2, 2, 0), (described.TotalOperationCount, described.CompleteOperationCount, described.FailureOperationCount));
        Assert.Equal((BatchOperationType.SignalWorkflow, "an operator", "because"), (described.OperationType, described.Identity, described.Reason));
        Assert.Equal("WorkflowId STARTS_WITH 'signalled'", described.Query);
        Assert.True(described.CloseTime >= described.StartTime);
        foreach (var handle in all[..2])
            Assert.Equal("an operator", Assert.Single(await SignalsAsync(handle)).WorkflowExecutionSignaledEventAttributes.Identity);
        Assert.Empty(await SignalsAsync(other));
        Assert.Empty(await SignalsAsync(all[2]));
        Assert.Equal(BatchOperationState.Completed, Assert.Single((await client.WorkflowService.ListBatchOperationsAsync(new() { Namespace = client.Options.Namespace })).OperationInfo).State);
    }

    [Fact]
    public async Task Cancels_and_terminates_with_the_reason_and_counts_what_is_gone_as_done()
    {
        var client = await NamespaceAsync(server);
        var all = await StartAsync(client, "ended", 3);
        await ListedAsync(client, "WorkflowId STARTS_WITH 'ended'", 3);
        var cancelled = await RunAsync(client, new() { VisibilityQuery = "WorkflowId = 'ended-0'", CancellationOperation = new() { Identity = "me" } });
        Assert.Equal(1, cancelled.CompleteOperationCount);
        var asked = (await all[0].FetchHistoryAsync()).Events.Single(e => e.EventType == EventType.WorkflowExecutionCancelRequested);
        Assert.Equal("me", asked.WorkflowExecutionCancelRequestedEventAttributes.Identity);

        var terminated = await RunAsync(client, new()
        {
            TargetExecutions = { Named("ended-0"), Named("ended-1"), Named("never-there") },
            TerminationOperation = new() { Identity = "me" },
        });
        Assert.Equal((3, 3, 0), (terminated.TotalOperationCount, terminated.CompleteOperationCount, terminated.FailureOperationCount));
        Assert.Equal(["ended-0", "ended-1", "never-there"], terminated.Executions.Select(e => e.BusinessId));
        Assert.Equal("because", (await all[1].FetchHistoryAsync()).Events.Last().WorkflowExecutionTerminatedEventAttributes.Reason);
        Assert.Equal(WorkflowExecutionStatus.Running, (await all[2].DescribeAsync()).Status);
    }

    [Fact]
    public async Task Deletes_open_and_closed_workflows()
    {
        var client = await NamespaceAsync(server);
        var all = await StartAsync(client, "deleted", 2);
        await all[0].TerminateAsync();
        await ListedAsync(client, "ExecutionStatus = 'Terminated'", 1);
        await RunAsync(client, new() { VisibilityQuery = "WorkflowId STARTS_WITH 'deleted'", DeletionOperation = new() });
        await ListedAsync(client, "WorkflowId STARTS_WITH 'deleted'", 0);
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => all[1].DescribeAsync());
    }

    [Fact]
    public async Task Resets_to_the_first_workflow_task_and_each_run_only_once()
    {
        var client = await NamespaceAsync(server);
        await using var worker = new RunningWorker(client, new TemporalWorkerOptions("work").AddWorkflow<WaitingWorkflow>());
        var handles = new List<WorkflowHandle<WaitingWorkflow, string>>();
        for (var i = 0; i < 2; i++)
        {
            handles.Add(await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new($"reset-{i}", "work")));
            await handles[i].SignalAsync(w => w.NoteAsync("kept"));
            await Wait.UntilAsync(async () => (await handles[i].QueryAsync(w => w.Notes())).Count == 1);
        }
        var never = await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new("reset-never", "nobody") { StartDelay = TimeSpan.FromHours(1) });
        await ListedAsync(client, "WorkflowId STARTS_WITH 'reset'", 3);
        var described = await RunAsync(client, new()
        {
            VisibilityQuery = "WorkflowId STARTS_WITH 'reset'",
            ResetOperation = new() { Identity = "me", Options = new() { FirstWorkflowTask = new() } },
        });
        Assert.Equal((3, 2, 1, BatchOperationType.ResetWorkflow), (described.TotalOperationCount, described.CompleteOperationCount, described.FailureOperationCount, described.OperationType));
        Assert.Equal(WorkflowExecutionStatus.Running, (await never.DescribeAsync()).Status);
        foreach (var first in handles)
        {
            var latest = client.GetWorkflowHandle<WaitingWorkflow, string>(first.Id);
            Assert.NotEqual(first.ResultRunId, (await latest.DescribeAsync()).RunId);
            await Wait.UntilAsync(async () => (await latest.QueryAsync(w => w.Notes())).Count == 1);
            await latest.SignalAsync(w => w.FinishAsync("done"));
            Assert.Equal("done: kept", await latest.GetResultAsync());
            var failed = (await latest.FetchHistoryAsync()).Events.Single(e => e.EventType == EventType.WorkflowTaskFailed);
            Assert.Equal("because", failed.WorkflowTaskFailedEventAttributes.Failure.Message);
        }
    }

    [Fact]
    public async Task Runs_one_at_a_time_as_fast_as_allowed_until_it_is_stopped()
    {
        var client = await NamespaceAsync(server);
        await StartAsync(client, "slow", 5);
        await ListedAsync(client, "", 5);
        var slow = new StartBatchOperationRequest { VisibilityQuery = "WorkflowId STARTS_WITH 'slow'", MaxOperationsPerSecond = 0.5f, SignalOperation = new() { Signal = "Note" } };
        var job = await BeginAsync(client, slow);
        var second = await Assert.ThrowsAsync<RpcException>(() => BeginAsync(client, slow));
        Assert.Equal(RpcException.StatusCode.ResourceExhausted, second.Code);
        Assert.Equal(BatchOperationState.Running, (await DescribeAsync(client, job)).State);
        await client.WorkflowService.StopBatchOperationAsync(new() { Namespace = client.Options.Namespace, JobId = job, Reason = "enough" });
        var stopped = await DescribeAsync(client, job);
        Assert.Equal(BatchOperationState.Failed, stopped.State);
        Assert.True(stopped.CompleteOperationCount < 5);
        await Failures.RefusedAsync(
            RpcException.StatusCode.NotFound, () => client.WorkflowService.StopBatchOperationAsync(new() { Namespace = client.Options.Namespace, JobId = job, Reason = "again" }));
        await RunAsync(client, new() { VisibilityQuery = "WorkflowId = 'slow-1'", TerminationOperation = new() });
    }

    [Fact]
    public async Task Takes_a_job_id_once()
    {
        var client = await NamespaceAsync(server);
        var batch = new StartBatchOperationRequest { JobId = "the-job", VisibilityQuery = "WorkflowId = 'nobody'", TerminationOperation = new() };
        Assert.Equal(0, (await RunAsync(client, batch)).TotalOperationCount);
        await Failures.RefusedAsync(RpcException.StatusCode.AlreadyExists, () => BeginAsync(client, batch));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => DescribeAsync(client, "another-job"));
    }

    [Fact]
    public async Task Says_what_is_wrong_before_it_does_anything()
    {
        var client = await NamespaceAsync(server);
        await RefusedAsync("must provide required parameters", new() { TerminationOperation = new() });
        await RefusedAsync("must provide required parameters", new() { VisibilityQuery = "WorkflowId = 'x'" });
        await RefusedAsync("mutually exclusive", new() { VisibilityQuery = "WorkflowId = 'x'", TargetExecutions = { Named("x") }, TerminationOperation = new() });
        await RefusedAsync("must provide signal name", new() { VisibilityQuery = "WorkflowId = 'x'", SignalOperation = new() });
        await RefusedAsync("batch reset missing target", new() { VisibilityQuery = "WorkflowId = 'x'", ResetOperation = new() { Options = new() } });
        await RefusedAsync("activity type must be set", new() { VisibilityQuery = "WorkflowId = 'x'", UnpauseActivitiesOperation = new BatchOperationUnpauseActivities { MatchAll = false } });
        await RefusedAsync("cannot set both activity options and restore original", new()
        {
            VisibilityQuery = "WorkflowId = 'x'",
            UpdateActivityOptionsOperation = new BatchOperationUpdateActivityOptions { MatchAll = true, RestoreOriginal = true, ActivityOptions = new() },
        });
        await RefusedAsync("invalid", new() { VisibilityQuery = "WorkflowId = ", TerminationOperation = new() });
        Assert.Empty((await client.WorkflowService.ListBatchOperationsAsync(new() { Namespace = client.Options.Namespace })).OperationInfo);

        async Task RefusedAsync(string why, StartBatchOperationRequest batch)
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => BeginAsync(client, batch));
            Assert.Equal(RpcException.StatusCode.InvalidArgument, error.Code);
            Assert.Contains(why, error.Message);
        }
    }

    private static Execution Named(string id) => new() { Type = ExecutionType.Workflow, BusinessId = id };

    internal static async Task<ITemporalClient> NamespaceAsync(SharedServer server)
    {
        var name = "batch-" + Guid.NewGuid();
        await server.Client.WorkflowService.RegisterNamespaceAsync(new() { Namespace = name, WorkflowExecutionRetentionPeriod = Duration.FromTimeSpan(TimeSpan.FromDays(1)) });
        var client = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = name });
        await Wait.UntilAsync(async () => !await Wait.FailsAsync(() => client.CountWorkflowsAsync("")));
        return client;
    }

    private static async Task<List<WorkflowHandle>> StartAsync(ITemporalClient client, string prefix, int count)
    {
        var handles = new List<WorkflowHandle>();
        for (var i = 0; i < count; i++)
            handles.Add(await client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new($"{prefix}-{i}", "nobody")));
        return handles;
    }

    internal static Task ListedAsync(ITemporalClient client, string query, int count) =>
        Wait.UntilAsync(async () => (await client.CountWorkflowsAsync(query)).Count == count);

    private static async Task<List<Temporalio.Api.History.V1.HistoryEvent>> SignalsAsync(WorkflowHandle handle) =>
        [.. (await handle.FetchHistoryAsync()).Events.Where(e => e.EventType == EventType.WorkflowExecutionSignaled)];

    private static async Task<string> BeginAsync(ITemporalClient client, StartBatchOperationRequest batch)
    {
        batch.Namespace = client.Options.Namespace;
        batch.Reason = "because";
        if (batch.JobId.Length == 0)
            batch.JobId = "job-" + Guid.NewGuid();
        await client.WorkflowService.StartBatchOperationAsync(batch);
        return batch.JobId;
    }

    internal static async Task<DescribeBatchOperationResponse> RunAsync(ITemporalClient client, StartBatchOperationRequest batch)
    {
        var job = await BeginAsync(client, batch);
        await Wait.UntilAsync(async () => (await DescribeAsync(client, job)).State != BatchOperationState.Running);
        var described = await DescribeAsync(client, job);
        Assert.Equal(BatchOperationState.Completed, described.State);
        return described;
    }

    private static Task<DescribeBatchOperationResponse> DescribeAsync(ITemporalClient client, string job) =>
        client.WorkflowService.DescribeBatchOperationAsync(new() { Namespace = client.Options.Namespace, JobId = job });
}
