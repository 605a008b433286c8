using System.Text;
using PlatformOps.Activities;
using PlatformOps.PlatformWorkflows.Tests.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.PlatformWorkflows.Tests.Replay;

/// <summary>Runs that were started before a change must go on after it: every committed history replays with the workflows of today.</summary>
public class ReplayTests
{
    /// <summary>Set to <c>1</c>, it makes <see cref="Captures_every_behaviour_when_asked_to"/> write the histories anew. See README.md beside this file.</summary>
    private const string Capture = "CAPTURE_HISTORIES";

    public static TheoryData<string> Names => CommittedHistories.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Replays(string behaviour)
    {
        var result = await Replayer(WorkerRegistration.Workflows).ReplayWorkflowAsync(CommittedHistories.Read(behaviour), throwOnReplayFailure: false);

        Assert.True(result.ReplayFailure is null, $"{behaviour}: {result.ReplayFailure}");
    }

    [Fact]
    public void Has_a_history_of_every_behaviour_and_of_no_other() =>
        Assert.Equal(RecordedBehaviours.All.Keys.Order(StringComparer.Ordinal), Names.Select(row => row.Data));

    [Fact]
    public void Has_a_history_of_every_workflow()
    {
        var types = Names.Select(row => CommittedHistories.Read(row.Data).Events.First().WorkflowExecutionStartedEventAttributes.WorkflowType.Name).ToHashSet();

        Assert.Equal(WorkerRegistration.Workflows.Select(type => type.Name).Order(StringComparer.Ordinal), types.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("provisioned-in-order", typeof(HastyEnvironment))]
    [InlineData("component-provisioned", typeof(HastyComponent))]
    public async Task Notices_a_workflow_that_does_something_else(string behaviour, Type changed)
    {
        var result = await Replayer([changed]).ReplayWorkflowAsync(CommittedHistories.Read(behaviour), throwOnReplayFailure: false);

        Assert.IsType<InvalidWorkflowOperationException>(result.ReplayFailure, exactMatch: false);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Keeps_secrets_and_the_machine_out_of_histories(string behaviour)
    {
        var clear = CommittedHistories.InClear(CommittedHistories.Text(behaviour));

        Assert.Empty(Leaks(clear));
        Assert.DoesNotContain("stackTrace", clear, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.MachineName, clear, StringComparison.Ordinal);
        Assert.DoesNotContain("/src/", clear, StringComparison.Ordinal);
    }

    [Fact]
    public void Would_find_a_secret_in_a_history()
    {
        var payload = Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"value":"{{RealPlan.Canary}}"}"""));
        var twice = Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"value":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(RealPlan.Canary))}}"}"""));

        Assert.NotEmpty(Leaks(CommittedHistories.InClear($$"""{"message":"password {{RealPlan.Canary}}"}""")));
        Assert.NotEmpty(Leaks(CommittedHistories.InClear($$"""{"payloads":[{"data":"{{payload}}"}]}""")));
        Assert.NotEmpty(Leaks(CommittedHistories.InClear($$"""{"payloads":[{"data":"{{twice}}"}]}""")));
    }

    [Fact]
    public async Task Captures_every_behaviour_when_asked_to()
    {
        await using var server = new RunbookServer();
        await server.InitializeAsync();
        var capturing = Environment.GetEnvironmentVariable(Capture) == "1";
        var shown = capturing ? RecordedBehaviours.All : RecordedBehaviours.All.Where(pair => pair.Key == "component-provisioned").ToDictionary();
        foreach (var (name, show) in shown)
        {
            var history = RecordedBehaviours.Continued.Contains(name) ? await FirstRunAsync(show) : await server.Client.GetWorkflowHandle(await show(server)).FetchHistoryAsync();
            Assert.NotEmpty(history.Events);
            if (capturing)
                CommittedHistories.Write(name, history);
        }
    }

    private static async Task<Temporalio.Common.WorkflowHistory> FirstRunAsync(RecordedBehaviours.Showing show)
    {
        await using var server = new ShortestHistoryServer();
        await server.InitializeAsync();
        var id = await show(server);
        var second = await server.Client.GetWorkflowHandle(id).FetchHistoryAsync();
        return await server.Client.GetWorkflowHandle(id, second.Events.First().WorkflowExecutionStartedEventAttributes.ContinuedExecutionRunId).FetchHistoryAsync();
    }

    private static WorkflowReplayer Replayer(IEnumerable<Type> workflows)
    {
        var options = new WorkflowReplayerOptions { DataConverter = PlatformOpsDataConverter.Instance };
        foreach (var workflow in workflows)
            options.AddWorkflow(workflow);
        return new(options);
    }

    private static IEnumerable<string> Leaks(string clear) =>
        new[] { RealPlan.Canary, Convert.ToBase64String(Encoding.UTF8.GetBytes(RealPlan.Canary)) }.Where(secret => clear.Contains(secret, StringComparison.Ordinal));

    /// <summary>Acts before it plans.</summary>
    [Workflow(nameof(ProvisionEnvironment))]
    public class HastyEnvironment
    {
        [WorkflowRun]
        public async Task RunAsync(Input<ProvisionEnvironmentInput>? input = null) => await Workflow.ExecuteActivityAsync(
            (IProvisioningActivities activities) => activities.ListCreatedAsync(new("development", "op", null, null)),
            new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
    }

    /// <summary>Does not apply anything.</summary>
    [Workflow(nameof(ProvisionComponent))]
    public class HastyComponent
    {
        [WorkflowRun]
        public async Task RunAsync(ProvisionComponentInput input) => await Workflow.ExecuteActivityAsync(
            (IProvisioningActivities activities) => activities.AwaitHealthAsync(new(input.Reference, input.HealthyWithin)),
            new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
    }
}
