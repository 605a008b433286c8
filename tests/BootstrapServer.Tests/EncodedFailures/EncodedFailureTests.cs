using Google.Protobuf;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Interceptors;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.EncodedFailures;

/// <summary>Failures whose text only the clients can read, chains of causes, and headers.</summary>
public class EncodedFailureTests(SharedServer server)
{
    [Fact]
    public async Task Keeps_failures_that_clients_encoded_as_they_are()
    {
        var client = await TemporalClient.ConnectAsync(new(server.Address)
        {
            DataConverter = DataConverter.Default with { FailureConverter = new DefaultFailureConverter.WithEncodedCommonAttributes(), PayloadCodec = new Reversing() },
        });
        var options = new TemporalWorkerOptions("encoded-" + Guid.NewGuid()).AddWorkflow<FailingWorkflow>().AddAllActivities(typeof(FailingActivities), null);
        using var worker = new TemporalWorker(client, options);
        await worker.ExecuteAsync(async () =>
        {
            var handle = await client.StartWorkflowAsync((FailingWorkflow w) => w.RunAsync(), new(id: options.TaskQueue!, taskQueue: options.TaskQueue!));
            var failed = await Failures.OfAsync<ApplicationFailureException>(handle);
            Assert.Equal("the outer secret", failed.Message);
            var cause = Assert.IsType<ApplicationFailureException>(Assert.IsType<ActivityFailureException>(failed.InnerException).InnerException);
            Assert.Equal(("the inner secret", "Inner", "detail"), (cause.Message, cause.ErrorType, cause.Details.ElementAt<string>(0)));

            var events = await handle.EventsAsync();
            var ofActivity = events.Single(e => e.EventType == EventType.ActivityTaskFailed).ActivityTaskFailedEventAttributes.Failure;
            Assert.DoesNotContain("secret", ofActivity.ToString(), StringComparison.Ordinal);
            // The SDK writes the cause, which it has decoded, in the clear; what the workflow threw is encoded.
            var ofWorkflow = events.Single(e => e.EventType == EventType.WorkflowExecutionFailed).WorkflowExecutionFailedEventAttributes.Failure;
            Assert.All(new[] { ofActivity, ofWorkflow }, failure => Assert.Equal("Encoded failure", failure.Message));
            Assert.All(new[] { ofActivity, ofWorkflow }, failure => Assert.NotNull(failure.EncodedAttributes));
        });
    }

    [Fact]
    public async Task Hands_headers_on_as_they_are()
    {
        var client = new TemporalClient(server.Client.Connection, new TemporalClientOptions { Interceptors = [new Marking()] });
        var queue = "headers-" + Guid.NewGuid();
        var handle = await client.StartWorkflowAsync("Any", [], new(id: queue, taskQueue: queue));
        await handle.SignalAsync("any", []);
        var events = await handle.EventsAsync();
        Assert.Equal("start", events[0].WorkflowExecutionStartedEventAttributes.Header.Fields["mark"].Data.ToStringUtf8());
        Assert.Equal("signal", events.Single(e => e.EventType == EventType.WorkflowExecutionSignaled).WorkflowExecutionSignaledEventAttributes.Header.Fields["mark"].Data.ToStringUtf8());
        var task = await server.Client.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = queue } });
        await server.Client.WorkflowService.RespondWorkflowTaskCompletedAsync(new()
        {
            Namespace = "default",
            TaskToken = task.TaskToken,
            Commands =
            {
                new Temporalio.Api.Command.V1.Command
                {
                    CommandType = CommandType.ScheduleActivityTask,
                    ScheduleActivityTaskCommandAttributes = new()
                    {
                        ActivityId = "a",
                        ActivityType = new() { Name = "Any" },
                        TaskQueue = new() { Name = queue },
                        StartToCloseTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMinutes(1)),
                        Header = Marking.Header("activity"),
                    },
                },
            },
        });
        var activity = await server.Client.WorkflowService.PollActivityTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = queue } });
        Assert.Equal("activity", activity.Header.Fields["mark"].Data.ToStringUtf8());
        await handle.TerminateAsync();
    }

    public static class FailingActivities
    {
        [Activity]
        public static void Fail() => throw new ApplicationFailureException("the inner secret", errorType: "Inner", nonRetryable: true, details: ["detail"]);
    }

    [Workflow]
    public class FailingWorkflow
    {
        [WorkflowRun]
        public async Task RunAsync()
        {
            try
            {
                await Workflow.ExecuteActivityAsync(() => FailingActivities.Fail(), new() { StartToCloseTimeout = TimeSpan.FromSeconds(10) });
            }
            catch (ActivityFailureException e)
            {
                throw new ApplicationFailureException("the outer secret", e, "Outer");
            }
        }
    }

    /// <summary>Stands for encryption: what is written cannot be read by searching.</summary>
    private sealed class Reversing : IPayloadCodec
    {
        public Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads) => Task.FromResult<IReadOnlyCollection<Payload>>(
            [.. payloads.Select(p => new Payload { Metadata = { ["encoding"] = ByteString.CopyFromUtf8("binary/reversed") }, Data = Reverse(p.ToByteArray()) })]);

        public Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads) => Task.FromResult<IReadOnlyCollection<Payload>>(
            [.. payloads.Select(p => Payload.Parser.ParseFrom(Reverse(p.Data.ToByteArray())))]);

        private static ByteString Reverse(byte[] bytes)
        {
            Array.Reverse(bytes);
            return ByteString.CopyFrom(bytes);
        }
    }

    private sealed class Marking : IClientInterceptor
    {
        public ClientOutboundInterceptor InterceptClient(ClientOutboundInterceptor nextInterceptor) => new Outbound(nextInterceptor);

        public static Header Header(string mark)
        {
            var header = new Header();
            header.Fields.Add(Fields(mark));
            return header;
        }

        private static Dictionary<string, Payload> Fields(string mark) => new() { ["mark"] = new Payload { Data = ByteString.CopyFromUtf8(mark) } };

        private sealed class Outbound(ClientOutboundInterceptor next) : ClientOutboundInterceptor(next)
        {
            public override Task<WorkflowHandle<TWorkflow, TResult>> StartWorkflowAsync<TWorkflow, TResult>(StartWorkflowInput input) =>
                base.StartWorkflowAsync<TWorkflow, TResult>(input with { Headers = Fields("start") });

            public override Task SignalWorkflowAsync(SignalWorkflowInput input) => base.SignalWorkflowAsync(input with { Headers = Fields("signal") });
        }
    }
}
