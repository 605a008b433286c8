using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Scaling;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Activities;

/// <summary>What one worker of several does, so that each has the credentials of its own work and no others.</summary>
public enum WorkerDomain
{
    /// <summary>Carries on with the runbooks, failovers aside; touches nothing outside and needs no credentials but those of the Temporal server.</summary>
    Runbooks,

    /// <summary>Plans, applies, compares, removes.</summary>
    Provisioning,

    /// <summary>Replaces secrets and certificates.</summary>
    Rotation,

    /// <summary>Makes, proves and retires backups.</summary>
    Backup,

    /// <summary>Changes numbers of replicas.</summary>
    Scaling,

    /// <summary>Carries on with failovers, and does what they order: in one worker, so that they wait for nobody else.</summary>
    Failover,
}

/// <summary>The one table of who does what, and on which task queue.</summary>
public static class WorkerDomains
{
    /// <summary>The interfaces whose activities a domain carries out.</summary>
    public static IReadOnlyDictionary<WorkerDomain, IReadOnlyList<Type>> Activities { get; } = new Dictionary<WorkerDomain, IReadOnlyList<Type>>
    {
        [WorkerDomain.Runbooks] = [],
        [WorkerDomain.Provisioning] = [typeof(IProvisioningActivities)],
        [WorkerDomain.Rotation] = [typeof(ISecretActivities), typeof(ICertificateActivities)],
        [WorkerDomain.Backup] = [typeof(IBackupActivities)],
        [WorkerDomain.Scaling] = [typeof(IScalingActivities)],
        [WorkerDomain.Failover] = [typeof(IFailoverActivities)],
    };

    /// <summary>Who carries out an activity, by its name.</summary>
    internal static IReadOnlyDictionary<string, WorkerDomain> ByActivity { get; } = Activities
        .SelectMany(domain => domain.Value.SelectMany(type => type.GetMethods()).Select(method => (method.Name[..^"Async".Length], domain.Key)))
        .ToDictionary();

    /// <summary>Where a domain polls when the runbooks run on <paramref name="taskQueue"/>: failovers always on <see cref="TaskQueues.Failover"/>.</summary>
    public static string QueueOf(WorkerDomain domain, string taskQueue) => domain switch
    {
        WorkerDomain.Runbooks => taskQueue,
        WorkerDomain.Failover => TaskQueues.Failover,
        _ => $"{taskQueue}.{domain.ToString().ToLowerInvariant()}",
    };
}
