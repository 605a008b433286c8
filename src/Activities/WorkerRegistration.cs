using PlatformOps.Activities.Failover;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Scaling;
using PlatformOps.Workflows.Secrets;
using Temporalio.Converters;
using Temporalio.Worker;

namespace PlatformOps.Activities;

/// <summary>The one list of what workers run; shared by the worker host, tests and replay.</summary>
public static class WorkerRegistration
{
    private static readonly Type[] Provisioning =
        [typeof(DecommissionEnvironment), typeof(DetectDrift), typeof(ProvisionComponent), typeof(ProvisionEnvironment), typeof(ReadLedger), typeof(UpgradeComponent)];

    private static readonly Type[] Failovers = [typeof(FailoverReadiness), typeof(HandoverWatchdog), typeof(RegionFailover)];

    private static readonly Type[] Rotations = [typeof(LeakResponse), typeof(RotateSecret), typeof(RotateSecrets)];

    private static readonly Type[] Certificates = [typeof(RotateCertificate), typeof(RotateCertificateAuthority), typeof(RotateCertificates)];

    private static readonly Type[] Backups =
    [
        typeof(ApplyRetention), typeof(BackUpClusterState), typeof(BackUpDatabase), typeof(BackUpSearch), typeof(BackUpVault), typeof(HoldBackup), typeof(LockStore), typeof(ReadBackups), typeof(VerifyBackup),
        typeof(RestoreClusterState), typeof(RestoreDatabase), typeof(RestoreEnvironment), typeof(RestoreSearch), typeof(RestoreVault),
    ];

    private static readonly Type[] Scaling = [typeof(Autoscale), typeof(RolloutWorkers), typeof(ScaleComponent), typeof(WarmStandby)];

    /// <summary>Every workflow type of the product.</summary>
    public static IReadOnlyList<Type> Workflows { get; } = [.. Provisioning, .. Rotations, .. Certificates, .. Backups, .. Scaling, .. Failovers];

    /// <summary>Options of a worker that runs every runbook but failovers. The client that it is given must use <see cref="PlatformOpsDataConverter.Instance"/>.</summary>
    /// <param name="provisioning">What provisioning does to the outside.</param>
    /// <param name="taskQueue">Default <see cref="TaskQueues.Default"/>.</param>
    /// <param name="secrets">What rotations of secrets do to the outside; null: it rotates none.</param>
    /// <param name="certificates">What rotations of certificates do to the outside; null: it rotates none.</param>
    /// <param name="backups">What backups, verifications and restores do to the outside; null: it backs nothing up.</param>
    /// <param name="scaling">What scaling does to the outside; null: it scales nothing.</param>
    public static TemporalWorkerOptions CreateWorkerOptions(
        IProvisioningActivities provisioning, string taskQueue = TaskQueues.Default, ISecretActivities? secrets = null, ICertificateActivities? certificates = null, IBackupActivities? backups = null,
        IScalingActivities? scaling = null)
    {
        var options = With(new(taskQueue), Provisioning).AddAllActivities<IProvisioningActivities>(provisioning);
        if (secrets is not null)
            With(options, Rotations).AddAllActivities<ISecretActivities>(secrets);
        if (certificates is not null)
            With(options, Certificates).AddAllActivities<ICertificateActivities>(certificates);
        if (backups is not null)
            With(options, Backups).AddAllActivities<IBackupActivities>(backups);
        if (scaling is not null)
            With(options, Scaling).AddAllActivities<IScalingActivities>(scaling);
        return options;
    }

    /// <summary>Options of a worker that does what <paramref name="domain"/> says and no more, beside workers of the other domains.</summary>
    /// <param name="domain">Any but <see cref="WorkerDomain.Failover"/>, which has <see cref="CreateFailoverWorkerOptions"/>.</param>
    /// <param name="taskQueue">Where the runbooks run; see <see cref="WorkerDomains.QueueOf"/>.</param>
    /// <param name="activities">What implements the activities of the domains: more than the domain's own does no harm.</param>
    /// <exception cref="ArgumentException">Nothing implements activities of the domain.</exception>
    public static TemporalWorkerOptions CreateDomainWorkerOptions(WorkerDomain domain, string taskQueue, params IReadOnlyList<object> activities)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(domain, WorkerDomain.Failover);
        var options = new TemporalWorkerOptions(WorkerDomains.QueueOf(domain, taskQueue));
        if (domain == WorkerDomain.Runbooks)
        {
            options.Interceptors = [new DomainRoutes()];
            return With(options, Workflows.Except(Failovers));
        }

        foreach (var type in WorkerDomains.Activities[domain])
        {
            var implementation = activities.FirstOrDefault(type.IsInstanceOfType)
                ?? throw new ArgumentException($"Nothing implements {type.Name}, which the domain {domain} carries out. Give it.", nameof(activities));
            options.AddAllActivities(type, implementation);
        }

        return options;
    }

    /// <summary>Options of a worker that runs failovers and what they do: on a queue of its own, so that nothing else that waits can delay them.</summary>
    /// <param name="taskQueue">Default <see cref="TaskQueues.Failover"/>.</param>
    public static TemporalWorkerOptions CreateFailoverWorkerOptions(IFailoverActivities failover, string taskQueue = TaskQueues.Failover) =>
        With(Guarded(taskQueue), Failovers).AddAllActivities<IFailoverActivities>(failover);

    /// <summary>Options of a worker that stands in a region and does what has to be done from there.</summary>
    /// <param name="taskQueue">That of the region: <see cref="TaskQueues.Of"/>.</param>
    public static TemporalWorkerOptions CreateRegionWorkerOptions(IFailoverActivities failover, string taskQueue) =>
        Guarded(taskQueue).AddAllActivities<IFailoverActivities>(failover);

    /// <summary>Options of a replayer that decides as workers do: every workflow type of the product, with everything that is put around workflows and activities in one of them.</summary>
    /// <param name="converter">As the workers' clients have it.</param>
    public static WorkflowReplayerOptions CreateReplayerOptions(DataConverter converter)
    {
        var options = new WorkflowReplayerOptions { DataConverter = converter, Interceptors = [new DomainRoutes(), new EpochInterceptor()] };
        foreach (var workflow in Workflows)
            options.AddWorkflow(workflow);
        return options;
    }

    /// <summary>What a dead worker was about to be asked, another one is asked after a second instead of the SDK's ten: nothing is writable meanwhile.</summary>
    private static TemporalWorkerOptions Guarded(string taskQueue) => new(taskQueue) { Interceptors = [new EpochInterceptor()], StickyQueueScheduleToStartTimeout = TimeSpan.FromSeconds(1) };

    private static TemporalWorkerOptions With(TemporalWorkerOptions options, IEnumerable<Type> workflows)
    {
        foreach (var workflow in workflows)
            options.AddWorkflow(workflow);
        return options;
    }
}
