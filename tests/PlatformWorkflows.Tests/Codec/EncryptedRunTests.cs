using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using PlatformOps.Activities;
using PlatformOps.Adapters.Codec;
using PlatformOps.Adapters.Schedules;
using PlatformOps.Platform.Schedules;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Worker;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Codec;

/// <summary>Runs whose payloads are encrypted, on the server.</summary>
public class EncryptedRunTests(RunbookServer server)
{
    private const string Canary = "canary-of-the-codec-8e1c";
    private volatile bool given;

    private static readonly string First = CodecKey.Generate().Reveal(), Second = CodecKey.Generate().Reveal();

    [Fact]
    public async Task Nothing_of_a_run_can_be_read_at_the_server_and_it_answers_and_replays_with_every_key_that_is_kept()
    {
        var converter = Converter($"first:{First}");
        var world = new FakeWorld(Chain) { GuardRails = new(1, 2, true, TimeSpan.FromHours(4)) }.Fail("health postgresql@us-east-1", $"It said {Canary}.", FailureTypes.Unhealthy);
        var handle = await RunAsync(converter, world, async run =>
        {
            await run.ApproveAsync((await run.UntilAsync(RunbookPhase.AwaitingApproval)).PlanHash);
            var parked = await run.UntilAsync(RunbookPhase.Parked);
            Assert.Contains(Canary, parked.Summary, StringComparison.Ordinal);
            await run.RetryAsync("postgresql");
            Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
        });

        // Temporal's lists of runs go by search attributes: they stay readable, and hold no inputs.
        var histories = new[] { await RawAsync(handle.Id), await RawAsync($"{handle.Id}/postgresql@us-east-1") };
        foreach (var history in histories)
        {
            Assert.NotEmpty(history.Events);
            Assert.All(history.Events, happened => Assert.DoesNotContain(Canary, $"{happened}{Encoding.Latin1.GetString(happened.ToByteArray())}", StringComparison.Ordinal));
            var payloads = Payloads(history).ToList();
            Assert.NotEmpty(payloads);
            Assert.All(payloads, payload => Assert.Equal(EncryptingPayloadCodec.Encoding, payload.Metadata["encoding"].ToStringUtf8()));
        }

        var fetched = await handle.FetchHistoryAsync();
        foreach (var keys in new[] { $"first:{First}", $"first:{First},second:{Second}" })
            Assert.Null((await ReplayAsync(Converter(keys), fetched)).ReplayFailure);
        foreach (var (keys, why) in new[] { ($"second:{Second}", "key 'first', which this process does not have. It has second"), ($"first:{Second}", "key 'first' and is not, or was changed since"), (null, "It has no keys at all") })
            Assert.Contains(why, $"{(await ReplayAsync(Converter(keys), fetched)).ReplayFailure}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_without_the_key_leaves_the_run_as_it_is_and_one_that_gets_it_goes_on()
    {
        var world = new FakeWorld(Chain);
        var client = Client(Converter($"first:{First}"));
        var queue = $"queue-{Guid.NewGuid()}";
        var environment = $"development-{Guid.NewGuid():N}";
        var handle = await client.StartWorkflowAsync(
            (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = environment }), new(ProvisionEnvironment.WorkflowId(environment), queue));
        var keys = new CodecKeys(() => CodecKeyFiles.ReadText($"{(given ? $"first:{First}," : "")}second:{Second}", "the test"), TimeProvider.System);
        using var worker = new TemporalWorker(Client(PlatformOpsDataConverter.With(new EncryptingPayloadCodec(keys), failure => failure is not PayloadCodecException)), WorkerRegistration.CreateWorkerOptions(world, queue));

        await worker.ExecuteAsync(async () =>
        {
            await Wait.UntilAsync(() => RawAsync(handle.Id), history => history.Events.Any(happened => happened.EventType == EventType.WorkflowTaskFailed), history => $"{history.Events.Count} events");
            var failed = (await RawAsync(handle.Id)).Events.First(happened => happened.EventType == EventType.WorkflowTaskFailed);
            Assert.Contains("the key 'first', which this process does not have. It has second.", failed.WorkflowTaskFailedEventAttributes.Failure.Message, StringComparison.Ordinal);
            Assert.Empty(world.Events);
            Assert.Equal(WorkflowExecutionStatus.Running, (await handle.DescribeAsync()).Status);
            given = true;
            Assert.Equal(ProvisioningOutcome.Healthy, (await Client(Converter($"first:{First},second:{Second}")).GetWorkflowHandle(handle.Id).GetResultAsync<ProvisioningReport>().WaitAsync(Wait.Patience)).Outcome);
        });
    }

    [Fact]
    public async Task What_was_begun_in_plain_text_goes_on_encrypted_and_what_operators_type_is_read()
    {
        var world = new FakeWorld(Chain) { GuardRails = new(1, 2, true, TimeSpan.FromHours(4)) };
        var environment = $"development-{Guid.NewGuid():N}";
        var queue = $"queue-{Guid.NewGuid()}";
        var typed = await server.Client.StartWorkflowAsync(
            (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = environment }), new(ProvisionEnvironment.WorkflowId(environment), queue));
        using (var before = new TemporalWorker(server.Client, WorkerRegistration.CreateWorkerOptions(world, queue)))
            await before.ExecuteAsync(() => Wait.UntilAsync(() => typed.QueryAsync(workflow => workflow.Status()), status => status.Phase == RunbookPhase.AwaitingApproval, status => $"{status.Phase}"));

        var encrypting = Client(Converter($"first:{First}"));
        using var after = new TemporalWorker(encrypting, WorkerRegistration.CreateWorkerOptions(world, queue));
        await after.ExecuteAsync(async () =>
        {
            // From a client without the codec: it cannot read the answer, and is understood.
            var plain = await server.Client.GetWorkflowHandle(typed.Id).StartUpdateAsync("approve", [new ApproveInput(Hash, "ada", null)], new(WorkflowUpdateStage.Accepted));
            Assert.NotNull(plain);
            Assert.Equal(ProvisioningOutcome.Healthy, (await encrypting.GetWorkflowHandle(typed.Id).GetResultAsync<ProvisioningReport>().WaitAsync(Wait.Patience)).Outcome);
        });
        Assert.Null((await ReplayAsync(Converter($"first:{First}"), await encrypting.GetWorkflowHandle(typed.Id).FetchHistoryAsync())).ReplayFailure);
    }

    [Fact]
    public async Task A_schedules_input_is_read_by_runs_whose_id_has_the_time_behind_it()
    {
        var client = Client(Converter($"first:{First}"));
        var temporal = new TemporalSchedules(client);
        var (environment, queue) = ($"development-{Guid.NewGuid():N}", $"queue-{Guid.NewGuid()}");
        var ct = TestContext.Current.CancellationToken;
        var wanted = ScheduleSpecification.Of("drift", ScheduledRunbook.Find(nameof(DetectDrift))!, TimeSpan.FromDays(300));
        Assert.True(await temporal.PutAsync($"drift/{environment}", null, environment, wanted, queue, environment, ct));
        await temporal.TriggerAsync($"drift/{environment}", ct);

        var kept = (await temporal.FindAsync($"drift/{environment}", ct))!;
        Assert.Equal(environment, kept.Found.DeclaredBy);
        Assert.Equal(ScheduleForm.Of(environment, wanted, queue), kept.Found.Form);
        Assert.Equal(EncryptingPayloadCodec.Encoding, (await client.WorkflowService.DescribeScheduleAsync(new() { Namespace = client.Options.Namespace, ScheduleId = $"drift/{environment}" }))
            .Schedule.Action.StartWorkflow.Input.Payloads_.Single().Metadata["encoding"].ToStringUtf8());
        var started = Assert.Single(kept.Recent);
        using var worker = new TemporalWorker(client, WorkerRegistration.CreateWorkerOptions(DriftTests.World(), queue));
        var report = await worker.ExecuteAsync(() => client.GetWorkflowHandle(started.WorkflowId).GetResultAsync<DriftReport>().WaitAsync(Wait.Patience));
        Assert.Equal(environment, report.Environment);
        await temporal.RemoveAsync($"drift/{environment}", ct);
    }

    private async Task<WorkflowHandle> RunAsync(DataConverter converter, FakeWorld world, Func<ProvisioningRun, Task> act)
    {
        var client = Client(converter);
        var environment = $"development-{Guid.NewGuid():N}";
        var worker = new TemporalWorker(client, WorkerRegistration.CreateWorkerOptions(world, $"queue-{Guid.NewGuid()}"));
        var handle = await client.StartWorkflowAsync(
            (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = environment, Reason = Canary }),
            new(ProvisionEnvironment.WorkflowId(environment), worker.Options.TaskQueue!) { Memo = new Dictionary<string, object> { ["why"] = Canary } });
        await using var run = new ProvisioningRun(worker, handle, world, environment);
        await act(run);
        return handle;
    }

    private TemporalClient Client(DataConverter converter)
    {
        var options = (TemporalClientOptions)server.Client.Options.Clone();
        options.DataConverter = converter;
        return new(server.Client.Connection, options);
    }

    private static DataConverter Converter(string? keys) => PlatformOpsDataConverter.With(
        new EncryptingPayloadCodec(keys is null ? null : new(() => CodecKeyFiles.ReadText(keys, "the test"), TimeProvider.System)), keys is null ? null : failure => failure is not PayloadCodecException);

    private async Task<History> RawAsync(string workflowId) => (await server.Client.WorkflowService.GetWorkflowExecutionHistoryAsync(
        new() { Namespace = server.Client.Options.Namespace, Execution = new() { WorkflowId = workflowId } })).History;

    private static Task<WorkflowReplayResult> ReplayAsync(DataConverter converter, Temporalio.Common.WorkflowHistory history)
    {
        var options = new WorkflowReplayerOptions { DataConverter = converter };
        foreach (var workflow in WorkerRegistration.Workflows)
            options.AddWorkflow(workflow);
        return new WorkflowReplayer(options).ReplayWorkflowAsync(history, throwOnReplayFailure: false);
    }

    /// <summary>Every payload in a message, but those of search attributes.</summary>
    private static IEnumerable<Payload> Payloads(IMessage message)
    {
        if (message is Payload payload)
            return [payload];
        if (message is SearchAttributes)
            return [];
        return message.Descriptor.Fields.InDeclarationOrder().SelectMany(field => Values(field, field.Accessor.GetValue(message))).SelectMany(Payloads);
    }

    private static IEnumerable<IMessage> Values(FieldDescriptor field, object? value) => value switch
    {
        System.Collections.IDictionary map => map.Values.OfType<IMessage>(),
        System.Collections.IEnumerable list when field.IsRepeated => list.OfType<IMessage>(),
        IMessage one => [one],
        _ => [],
    };
}
