using System.Reflection;
using PlatformOps.Activities;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Replay;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Activities;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace PlatformOps.PlatformWorkflows.Tests.Hosting;

/// <summary>Several workers, each with the credentials of its own work, do together what one does.</summary>
public sealed class WorkerDomainTests(RunbookServer server)
{
    [Fact]
    public void Every_activity_and_every_workflow_belongs_to_exactly_one_domain()
    {
        var product = typeof(TaskQueues).Assembly.GetTypes();
        var contracts = product.Where(type => type.IsInterface && type.GetMethods().Any(method => method.GetCustomAttribute<ActivityAttribute>() is not null));
        Assert.Equal(contracts.Select(type => type.Name).Order(StringComparer.Ordinal), WorkerDomains.Activities.Values.SelectMany(types => types).Select(type => type.Name).Order(StringComparer.Ordinal));
        Assert.Equal(Enum.GetValues<WorkerDomain>(), WorkerDomains.Activities.Keys.Order());
        Assert.Equal(product.Where(type => type.GetCustomAttribute<WorkflowAttribute>() is not null).Select(type => type.Name).Order(StringComparer.Ordinal),
            WorkerRegistration.Workflows.Select(type => type.Name).Order(StringComparer.Ordinal));

        var queues = Enum.GetValues<WorkerDomain>().Select(domain => WorkerDomains.QueueOf(domain, TaskQueues.Default)).ToList();
        Assert.Equal(queues.Distinct(), queues);
        Assert.Equal(["platformops", "platformops.provisioning", "platformops.rotation", "platformops.backup", "platformops.scaling", TaskQueues.Failover], queues);
    }

    [Fact]
    public async Task Activities_wait_for_the_worker_of_their_domain()
    {
        var (world, queue, environment) = (new FakeWorld(Plans.Chain), $"queue-{Guid.NewGuid()}", $"development-{Guid.NewGuid():N}");
        using var runbooks = new TemporalWorker(server.Client, WorkerRegistration.CreateDomainWorkerOptions(WorkerDomain.Runbooks, queue));
        using var provisioning = new TemporalWorker(server.Client, WorkerRegistration.CreateDomainWorkerOptions(WorkerDomain.Provisioning, queue, world));
        await runbooks.ExecuteAsync(async () =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (ProvisionEnvironment workflow) => workflow.RunAsync(new ProvisionEnvironmentInput { Environment = environment }), new(ProvisionEnvironment.WorkflowId(environment), queue));
            await Wait.UntilAsync(
                async () => (await handle.FetchHistoryAsync()).Events, events => events.Any(happened => happened.ActivityTaskScheduledEventAttributes is not null), events => $"{events.Count} events");
            await provisioning.ExecuteAsync(() => handle.GetResultAsync());
            Assert.All((await handle.FetchHistoryAsync()).Events.Select(happened => happened.ActivityTaskScheduledEventAttributes).OfType<Temporalio.Api.History.V1.ActivityTaskScheduledEventAttributes>(),
                scheduled => Assert.Equal($"{queue}.provisioning", scheduled.TaskQueue.Name));
        });
    }

    [Fact]
    public async Task A_run_that_one_worker_for_everything_began_goes_on()
    {
        var options = new WorkflowReplayerOptions { DataConverter = PlatformOpsDataConverter.Instance, Interceptors = [new DomainRoutes()] };
        foreach (var workflow in WorkerRegistration.Workflows)
            options.AddWorkflow(workflow);
        var replayed = await new WorkflowReplayer(options).ReplayWorkflowsAsync(CommittedHistories.Names.Select(row => CommittedHistories.Read(row.Data)), throwOnReplayFailure: false);

        Assert.NotEmpty(replayed);
        Assert.All(replayed, result => Assert.Null(result.ReplayFailure));
    }

    [Fact]
    public void A_domain_without_its_activities_is_refused() =>
        Assert.Contains("ISecretActivities", Assert.Throws<ArgumentException>(() => WorkerRegistration.CreateDomainWorkerOptions(WorkerDomain.Rotation, "queue", new FakeWorld(Plans.Chain))).Message, StringComparison.Ordinal);
}
