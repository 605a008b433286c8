using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Pods;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>Job: pods until enough of them succeeded or too many failed.</summary>
internal sealed class JobController : Controller
{
    public JobController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.Jobs);
        ForManaged(Resources.Pods, "Job");
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.Jobs).Find(key) is not { Deleting: false } job)
            return;
        if (End(job) is { } ended)
            await CleanUpAsync(job, ended, ct);
        else
            await WorkAsync(job, ct);
    }

    private static JsonNode? End(ClusterObject job) => job.Status.Items("conditions")
        .FirstOrDefault(condition => condition.Text("type") is "Complete" or "Failed" && condition.Text("status") == "True");

    private List<ClusterObject> Pods(ClusterObject job) => [.. Cluster.Of(Resources.Pods).ManagedBy(job)];

    private async Task WorkAsync(ClusterObject job, CancellationToken ct)
    {
        if (job.Spec.Flag("suspend"))
        {
            await StopAsync(job, ct);
            await WriteAsync(job, null, null, ct);
            return;
        }
        var started = job.Status.Time("startTime") ?? Now;
        var lastFailure = Pods(job).Where(pod => PodState.Phase(pod) == "Failed")
            .SelectMany(pod => pod.Status.Items("containerStatuses")).Select(status => status.At("state").At("terminated").Time("finishedAt")).Max() ?? Now;
        var step = JobStep.Next(job, Count(job), Now - started, Now - lastFailure, Options.Scaled);
        if (step.Again is { } again)
            LookAgain(job.Key, again);
        if (step.Finished is not null)
            await StopAsync(job, ct);
        // The count of a finished Job stands before its pods may go.
        await CreateAsync(job, step.Create, ct);
        await WriteAsync(job, started, step.Finished, ct);
    }

    private async Task CreateAsync(ClusterObject job, int missing, CancellationToken ct)
    {
        for (var number = 0; missing > 0; number++)
        {
            var name = $"{job.Name}-{PodTemplate.Hash($"{job.Name}/{number}", 5)}";
            if (Cluster.Of(Resources.Pods).Find(job.Namespace, name) is not null)
                continue;
            var pod = PodTemplate.Pod(job, job.Spec.At("template"), name);
            pod.Fields("metadata")!["generateName"] = job.Name + "-";
            await Cluster.CreateAsync(Resources.Pods, job.Namespace, pod, ct);
            missing--;
        }
    }

    private async Task StopAsync(ClusterObject job, CancellationToken ct)
    {
        foreach (var pod in Pods(job).Where(PodState.IsActive))
            await Cluster.DeleteAsync(pod, ct);
    }

    private async Task CleanUpAsync(ClusterObject job, JsonNode ended, CancellationToken ct)
    {
        await StopAsync(job, ct);
        await Cluster.PatchStatusAsync(job, new JsonObject { ["active"] = Pods(job).Count(PodState.IsActive) }, ct);
        if (job.Spec.Number("ttlSecondsAfterFinished") is not { } seconds)
            return;
        var left = (ended.Time("lastTransitionTime") ?? Now) + Options.Scaled(TimeSpan.FromSeconds(seconds)) - Now;
        if (left > TimeSpan.Zero)
            LookAgain(job.Key, left);
        else
            await Cluster.DeleteAsync(job, ct);
    }

    private async Task WriteAsync(ClusterObject job, DateTimeOffset? started, JobEnd? end, CancellationToken ct)
    {
        var count = Count(job);
        var status = new JsonObject { ["active"] = count.Active, ["succeeded"] = count.Succeeded, ["failed"] = count.Failed };
        if (Cluster.Minor >= 24)
            status["ready"] = count.Ready;
        if (started is { } time)
            status["startTime"] = time.Stamp();
        if (end is not null)
        {
            List<Condition> conditions = [new(end.Complete ? "Complete" : "Failed", true, end.Reason, end.Message)];
            // Newer servers want to be told that the end is decided before it has come.
            if (Cluster.Minor >= 31)
                conditions.Insert(0, new(end.Complete ? "SuccessCriteriaMet" : "FailureTarget", true, end.Reason, end.Message));
            status["conditions"] = Conditions.Set(job.Status, Now, conditions);
            if (end.Complete)
                status["completionTime"] = Now.Stamp();
        }
        await Cluster.PatchStatusAsync(job, status, ct);
    }

    private JobCount Count(ClusterObject job)
    {
        var pods = Pods(job);
        var active = pods.Where(PodState.IsActive).ToList();
        return new(
            active.Count, active.Count(PodState.IsReady), pods.Count(pod => PodState.Phase(pod) == "Succeeded"),
            pods.Count(pod => PodState.Phase(pod) == "Failed"), active.Sum(ContainerStatuses.Restarts));
    }
}
