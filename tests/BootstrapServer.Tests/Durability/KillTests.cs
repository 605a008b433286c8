using PlatformOps.BootstrapServer.Tests.Durability.Storm;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Common;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Durability;

public sealed class KillTests : IDisposable
{
    private static readonly SearchAttributeKey<string> Owner = SearchAttributeKey.CreateKeyword("Owner");
    private readonly string folder = Directory.CreateTempSubdirectory("kill-").FullName;

    [Fact]
    public async Task Goes_on_with_everything_that_it_acknowledged()
    {
        const int workflows = 24;
        const int notes = 6;
        var port = StablePort.Next();
        var server = await StartAsync(port);
        try
        {
            var client = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = "kept" });
            var options = new TemporalWorkerOptions("work").AddWorkflow<JourneyWorkflow>().AddWorkflow<EchoWorkflow>().AddAllActivities(typeof(StockActivities), null);
            await using var worker = new RunningWorker(client, options);
            var attributes = new SearchAttributeCollection.Builder().Set(Owner, "kill test").ToSearchAttributeCollection();
            var handles = new List<WorkflowHandle<JourneyWorkflow, string>>();
            for (var i = 0; i < workflows; i++)
                handles.Add(await client.StartWorkflowAsync((JourneyWorkflow w) => w.RunAsync(notes), new($"journey-{i}", "work") { TypedSearchAttributes = attributes }));

            var talking = Task.WhenAll(handles.Select(async handle =>
            {
                for (var n = 0; n < notes; n++)
                    await PatientCalls.AskAsync(() => client.WorkflowService.SignalWorkflowExecutionAsync(Note(handle.Id, n)));
                Assert.Equal("heard", await PatientCalls.AskAsync(() => handle.ExecuteUpdateAsync(w => w.HearAsync(), new("the-update"))));
            }));
            for (var kill = 0; kill < 4; kill++)
            {
                await Wait.UntilAsync(async () => await PatientCalls.AskAsync(() => handles[kill].EventsAsync()) is { Count: > 8 });
                server.Kill();
                server.Dispose();
                server = await StartAsync(port);
            }
            await talking;

            foreach (var handle in handles)
            {
                Assert.Equal(string.Join(",", Enumerable.Range(0, notes)), await PatientCalls.AskAsync(() => handle.GetResultAsync()));
                var history = await handle.FetchHistoryAsync();
                Assert.Equal(notes, history.Events.Count(e => e.EventType == EventType.WorkflowExecutionSignaled));
                Assert.Equal(3, history.Events.Count(e => e.EventType == EventType.ActivityTaskCompleted));
                Assert.Single(history.Events, e => e.EventType == EventType.ChildWorkflowExecutionCompleted);
                Assert.Equal(Enumerable.Range(1, history.Events.Count), history.Events.Select(e => (int)e.EventId));
                await Replay.OneAsync(history, options);
            }
            Assert.Equal(workflows, (await client.CountWorkflowsAsync("Owner = 'kill test' AND ExecutionStatus = 'Completed'")).Count);
        }
        finally
        {
            server.Dispose();
        }
    }

    [Fact]
    public async Task Remembers_timers_schedules_namespaces_search_attributes_and_closed_runs_over_a_kill()
    {
        string address;
        using (var server = await StartAsync(0))
        {
            var client = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = "kept" });
            await client.OperatorService.AddSearchAttributesAsync(new() { Namespace = "kept", SearchAttributes = { ["Later"] = IndexedValueType.Keyword } });
            await client.WorkflowService.RegisterNamespaceAsync(new() { Namespace = "made", WorkflowExecutionRetentionPeriod = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromDays(3)) });
            var closed = await client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("x"), new("closed", "nobody"));
            await closed.TerminateAsync("before the kill");
            await client.StartWorkflowAsync((EchoWorkflow w) => w.RunAsync("x"), new("delayed", "nobody") { StartDelay = TimeSpan.FromSeconds(1), RunTimeout = TimeSpan.FromSeconds(1) });
            var schedule = await client.CreateScheduleAsync("kept-schedule", new(
                ScheduleActionStartWorkflow.Create((EchoWorkflow w) => w.RunAsync("x"), new("scheduled", "nobody")),
                new() { Intervals = [new(TimeSpan.FromSeconds(1))] })
            {
                Policy = new() { Overlap = ScheduleOverlapPolicy.AllowAll },
                State = new() { LimitedActions = true, RemainingActions = 3 },
            });
            await Wait.UntilAsync(async () => (await schedule.DescribeAsync()).Info.NumActions > 0);
            server.Kill();
        }
        using var again = await StartAsync(0);
        address = again.Address;
        var found = await TemporalClient.ConnectAsync(new(address) { Namespace = "kept" });
        await Wait.UntilAsync(async () => (await found.GetScheduleHandle("kept-schedule").DescribeAsync()).Info.NumActions == 3);
        Assert.Equal(3, (await found.CountWorkflowsAsync("TemporalScheduledById = 'kept-schedule'")).Count);
        Assert.Equal(1, (await found.CountWorkflowsAsync("WorkflowId = 'closed' AND ExecutionStatus = 'Terminated'")).Count);
        Assert.Equal("before the kill", (await found.GetWorkflowHandle("closed").EventsAsync())[^1].WorkflowExecutionTerminatedEventAttributes.Reason);
        Assert.True((await found.OperatorService.ListSearchAttributesAsync(new() { Namespace = "kept" })).CustomAttributes.ContainsKey("Later"));
        Assert.Equal(3, (await found.WorkflowService.DescribeNamespaceAsync(new() { Namespace = "made" })).Config.WorkflowExecutionRetentionTtl.ToTimeSpan().TotalDays);
        await Wait.UntilAsync(async () => (await found.GetWorkflowHandle("delayed").DescribeAsync()).Status == WorkflowExecutionStatus.TimedOut);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private Task<ServerProcess> StartAsync(int port) => ServerProcess.StartAsync(
        "server", "start-dev", "--port", $"{port}", "--namespace", "kept", "--db-filename", Path.Combine(folder, "state.db"), "--search-attribute", "Owner=Keyword");

    /// <summary>A signal whose repetition the server can tell from a second one.</summary>
    private static SignalWorkflowExecutionRequest Note(string workflowId, int number) => new()
    {
        Namespace = "kept",
        WorkflowExecution = new() { WorkflowId = workflowId },
        SignalName = "Note",
        Input = new() { Payloads_ = { Temporalio.Converters.DataConverter.Default.PayloadConverter.ToPayload($"{number}") } },
        RequestId = $"{workflowId}-{number}",
    };

    [Workflow]
    public class JourneyWorkflow
    {
        private readonly List<string> noted = [];
        private bool heard;

        [WorkflowRun]
        public async Task<string> RunAsync(int notes)
        {
            for (var i = 0; i < 3; i++)
            {
                await Workflow.ExecuteActivityAsync(
                    () => StockActivities.Echo("step"), new() { StartToCloseTimeout = TimeSpan.FromSeconds(2), RetryPolicy = new() { MaximumInterval = TimeSpan.FromSeconds(1) } });
                await Workflow.DelayAsync(TimeSpan.FromMilliseconds(100));
            }
            await Workflow.ExecuteChildWorkflowAsync((EchoWorkflow w) => w.RunAsync("child"));
            await Workflow.WaitConditionAsync(() => noted.Count >= notes && heard);
            return string.Join(",", noted);
        }

        [WorkflowSignal]
        public Task NoteAsync(string note)
        {
            noted.Add(note);
            return Task.CompletedTask;
        }

        [WorkflowUpdate]
        public Task<string> HearAsync()
        {
            heard = true;
            return Task.FromResult("heard");
        }
    }
}
