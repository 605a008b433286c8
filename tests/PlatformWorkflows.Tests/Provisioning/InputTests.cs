using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>Runs started as any client of any language starts them: with plain JSON over gRPC.</summary>
public class InputTests(RunbookServer server)
{
    private const string Fields = "environment, mode, operationId, components, reason, healthyWithin, parkedAtMost";

    [Fact]
    public async Task Provisions_when_it_is_started_with_nothing_but_the_environment_as_json()
    {
        var world = new FakeWorld(Chain);
        var report = await RunAsync(world, """{"environment":"development"}""", "provision/development");

        Assert.Equal(ProvisioningOutcome.Healthy, report.Outcome);
        Assert.Equal("development", report.Environment);
        Assert.StartsWith("provision-development-", report.OperationId, StringComparison.Ordinal);
        Assert.Equal(("development", null), (world.PlannedFor!.Environment, world.PlannedFor.Components));
        Assert.All(world.HealthInputs, input => Assert.Equal(TimeSpan.FromMinutes(15), input.Within));
    }

    [Fact]
    public async Task Takes_every_field_that_is_given()
    {
        var world = new FakeWorld(Chain);
        var report = await RunAsync(world, """
            {"environment":"staging","mode":"apply","operationId":"change-4711","components":["redis","frontend"],"reason":"a new cache","healthyWithin":"90s","parkedAtMost":"2d"}
            """);

        Assert.Equal(("staging", "change-4711"), (report.Environment, report.OperationId));
        Assert.Equal(["redis", "frontend"], world.PlannedFor!.Components);
        Assert.All(world.HealthInputs, input => Assert.Equal(TimeSpan.FromSeconds(90), input.Within));
        Assert.All(world.Objects, item => Assert.Equal("change-4711", item.Value));
    }

    public static TheoryData<string?, string> Mistakes => new()
    {
        { null, """There is no input. Give at least {"environment": "<name>"}.""" },
        { "null", """There is no input. Give at least {"environment": "<name>"}.""" },
        { "{}", "Field 'environment' is missing. Give the environment's name in the specification." },
        { """{"environment":" "}""", "Field 'environment' is missing. Give the environment's name in the specification." },
        { "\"development\"", $"The input is not a JSON object. Possible fields: {Fields}." },
        { "[]", $"The input is not a JSON object. Possible fields: {Fields}." },
        { """{"enviroment":"development"}""", $"Unknown field 'enviroment'. Possible fields: {Fields}." },
        { """{"Environment":"development"}""", $"Unknown field 'Environment'. Possible fields: {Fields}." },
        { """{"environment":5}""", "Field 'environment' has a value of the wrong kind: a text is expected." },
        { """{"environment":"development","mode":"drill"}""", "Field 'mode' has a value of the wrong kind: one of apply, plan is expected." },
        { """{"environment":"development","mode":1}""", "Field 'mode' has a value of the wrong kind: one of apply, plan is expected." },
        { """{"environment":"development","components":"redis"}""", "Field 'components' has a value of the wrong kind: a list of texts is expected." },
        { """{"environment":"development","components":[1]}""", "Field 'components[0]' has a value of the wrong kind: a text is expected." },
        { """{"environment":"development","components":[]}""", "Field 'components' is empty. Leave it out for all components, or name some." },
        { """{"environment":"development","healthyWithin":"15"}""", "Field 'healthyWithin' is '15'. A number with its unit is expected (90s, 15m, 24h, 30d), from 1s to 24h." },
        { """{"environment":"development","healthyWithin":"25h"}""", "Field 'healthyWithin' is '25h'. A number with its unit is expected (90s, 15m, 24h, 30d), from 1s to 24h." },
        { """{"environment":"development","parkedAtMost":"0s"}""", "Field 'parkedAtMost' is '0s'. A number with its unit is expected (90s, 15m, 24h, 30d), from 1s to 30d." },
        { """{"environment":"development","parkedAtMost":900}""", "Field 'parkedAtMost' has a value of the wrong kind: a text is expected." },
        { """{"environment":"development","operationId":"Friday!"}""", "Field 'operationId' is 'Friday!'. Lower-case letters, digits and dashes are allowed, beginning and ending with a letter or digit, at most 63 characters." },
        { """{"environment":"development","environment":"production"}""", "Field 'environment' is given twice." },
        { """{"environment":"development""", "The input is not valid JSON. Give one JSON object." },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task Ends_with_a_failure_that_names_the_field_before_it_does_anything(string? json, string message)
    {
        var world = new FakeWorld(Chain);

        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => RunAsync(world, json));

        var failure = Assert.IsType<ApplicationFailureException>(failed.InnerException);
        Assert.Equal(message, failure.Message);
        Assert.Equal((FailureTypes.InvalidInput, true), (failure.ErrorType, failure.NonRetryable));
        Assert.Empty(world.Events);
    }

    [Fact]
    public async Task Ends_with_what_the_plan_says_when_the_environment_is_unknown()
    {
        const string message = "There is no environment 'develpment'. There are: development, staging, production.";
        await using var run = await server.ProvisionAsync(new FakeWorld(Chain).Fail("plan", message, FailureTypes.InvalidInput));

        var failure = await run.FailureAsync();

        Assert.Equal((message, FailureTypes.InvalidInput), (failure.Message, failure.ErrorType));
        Assert.Equal(["plan"], run.World.Events);
    }

    [Fact]
    public async Task Refuses_an_input_in_an_encoding_that_is_not_json()
    {
        var world = new FakeWorld(Chain);

        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => RunAsync(world, "environment: development", encoding: "binary/plain"));

        Assert.Equal("The input is not JSON (metadata encoding json/plain). Give one JSON object.", failed.InnerException!.Message);
        Assert.Empty(world.Events);
    }

    private async Task<ProvisioningReport> RunAsync(FakeWorld world, string? json, string? workflowId = null, string encoding = "json/plain")
    {
        using var worker = server.CreateWorker(world);
        return await worker.ExecuteAsync(async () =>
        {
            var id = workflowId ?? $"provision/{Guid.NewGuid():N}";
            await StartAsync(json, encoding, id, worker.Options.TaskQueue!);
            return await server.Client.GetWorkflowHandle(id).GetResultAsync<ProvisioningReport>().WaitAsync(Wait.Patience);
        });
    }

    /// <summary>What <c>temporal workflow start --type ProvisionEnvironment --input ...</c> sends.</summary>
    private async Task StartAsync(string? json, string encoding, string workflowId, string taskQueue)
    {
        var request = new StartWorkflowExecutionRequest
        {
            Namespace = server.Client.Options.Namespace,
            WorkflowId = workflowId,
            WorkflowType = new WorkflowType { Name = "ProvisionEnvironment" },
            TaskQueue = new Temporalio.Api.TaskQueue.V1.TaskQueue { Name = taskQueue, Kind = TaskQueueKind.Normal },
            RequestId = Guid.NewGuid().ToString(),
        };
        if (json is not null)
        {
            var payload = new Payload { Data = Google.Protobuf.ByteString.CopyFromUtf8(json) };
            payload.Metadata["encoding"] = Google.Protobuf.ByteString.CopyFromUtf8(encoding);
            request.Input = new Payloads { Payloads_ = { payload } };
        }
        await server.Client.Connection.WorkflowService.StartWorkflowExecutionAsync(request);
    }
}
