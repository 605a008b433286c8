using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Worker;
using VersioningBehavior = Temporalio.Common.VersioningBehavior;

namespace PlatformOps.BootstrapServer.Tests.Deployments;

/// <summary>A deployment of a test: a name and a queue that nobody else uses, and its workers by build.</summary>
internal sealed class VersionedWork(ITemporalClient client)
{
    public string Name { get; private init; } = "shop-" + Guid.NewGuid();

    public string Queue { get; private init; } = "queue-" + Guid.NewGuid();

    /// <summary>The same deployment on the server after a restart.</summary>
    public VersionedWork On(ITemporalClient other) => new(other) { Name = Name, Queue = Queue };

    public WorkflowHandle<WaitingWorkflow, string> Handle(string id) => client.GetWorkflowHandle<WaitingWorkflow, string>(id);

    public WorkflowService Service => client.WorkflowService;

    /// <summary>A worker of a build; without a build one that does not use versions.</summary>
    public RunningWorker StartWorker(string? build, VersioningBehavior behavior = VersioningBehavior.Pinned, bool activities = true)
    {
        var options = new TemporalWorkerOptions(Queue)
            .AddWorkflow<WaitingWorkflow>().AddWorkflow<EchoWorkflow>().AddWorkflow<FamilyWorkflow>().AddWorkflow<ContinuingWorkflow>().AddWorkflow<StepwiseWorkflow>();
        if (activities)
            options.AddAllActivities(typeof(StockActivities), null);
        options.Identity = build ?? "no version";
        if (build is not null)
            options.DeploymentOptions = new(new(Name, build), useWorkerVersioning: true) { DefaultVersioningBehavior = behavior };
        return new RunningWorker(client, options);
    }

    /// <summary>Waits until workers of the build polled their queues.</summary>
    public Task RegisteredAsync(string build, int queues = 2) => Wait.UntilAsync(async () =>
        !await Wait.FailsAsync(() => DescribeVersionAsync(build)) && (await DescribeVersionAsync(build)).TaskQueueInfos.Count == queues);

    public async Task<WorkerDeploymentVersionInfo> DescribeVersionAsync(string build) =>
        (await Service.DescribeWorkerDeploymentVersionAsync(new() { Namespace = "default", DeploymentVersion = Version(build) })).WorkerDeploymentVersionInfo;

    public Task<DescribeWorkerDeploymentResponse> DescribeAsync() => Service.DescribeWorkerDeploymentAsync(new() { Namespace = "default", DeploymentName = Name });

    public Task<SetWorkerDeploymentCurrentVersionResponse> SetCurrentAsync(string? build) => Service.SetWorkerDeploymentCurrentVersionAsync(new()
    {
        Namespace = "default",
        DeploymentName = Name,
        BuildId = build ?? "",
        Identity = "operator",
        IgnoreMissingTaskQueues = true,
    });

    public Task<SetWorkerDeploymentRampingVersionResponse> SetRampingAsync(string? build, float percentage) => Service.SetWorkerDeploymentRampingVersionAsync(new()
    {
        Namespace = "default",
        DeploymentName = Name,
        BuildId = build ?? "",
        Percentage = percentage,
        Identity = "operator",
        IgnoreMissingTaskQueues = true,
    });

    public WorkerDeploymentVersion Version(string build) => new() { DeploymentName = Name, BuildId = build };

    public Task<WorkflowHandle<WaitingWorkflow, string>> StartWaitingAsync(string? id = null, Temporalio.Common.VersioningOverride? given = null) =>
        client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id ?? "waiting-" + Guid.NewGuid(), Queue) { VersioningOverride = given });

    /// <summary>The builds that completed the run's workflow tasks, in order; none for workers without version.</summary>
    public static async Task<IReadOnlyList<string>> BuildsOfAsync(WorkflowHandle handle) =>
    [
        .. (await handle.EventsAsync()).Where(e => e.EventType == EventType.WorkflowTaskCompleted)
            .Select(e => e.WorkflowTaskCompletedEventAttributes.DeploymentVersion?.BuildId ?? "none"),
    ];

    /// <summary>Waits until so many workflow tasks of the run completed.</summary>
    public static Task TasksAsync(WorkflowHandle handle, int count) => Wait.UntilAsync(async () => (await BuildsOfAsync(handle)).Count >= count);
}
