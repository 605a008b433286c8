using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Worker;

namespace PlatformOps.Activities;

/// <summary>The one list of what a worker runs; shared by the worker host, tests and replay.</summary>
public static class WorkerRegistration
{
    /// <summary>Every workflow type of the product.</summary>
    public static IReadOnlyList<Type> Workflows { get; } = [typeof(DecommissionEnvironment), typeof(DetectDrift), typeof(ProvisionComponent), typeof(ProvisionEnvironment), typeof(ReadLedger), typeof(UpgradeComponent)];

    /// <summary>Options of a worker that runs every runbook. The client that it is given must use <see cref="PlatformOpsDataConverter.Instance"/>.</summary>
    /// <param name="provisioning">What provisioning does to the outside.</param>
    /// <param name="taskQueue">Default <see cref="TaskQueues.Default"/>.</param>
    public static TemporalWorkerOptions CreateWorkerOptions(IProvisioningActivities provisioning, string taskQueue = TaskQueues.Default)
    {
        var options = new TemporalWorkerOptions(taskQueue);
        foreach (var workflow in Workflows)
            options.AddWorkflow(workflow);
        return options.AddAllActivities<IProvisioningActivities>(provisioning);
    }
}
