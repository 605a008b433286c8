using PlatformOps.BootstrapServer.Executions;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>
/// A run and the versions of workers: whose workers may have its tasks, and how it moves from one version to another. A run
/// that is not pinned moves when a worker of another version takes its workflow task; the move is over when such a worker
/// completed one. Everything here runs under the run's lock.
/// </summary>
internal static class RunVersions
{
    /// <summary>The version that routing has for the run now.</summary>
    public static (WorkerVersion? Version, long Revision) Target(WorkflowRun run) =>
        Routing.Target(run.Engine.Deployments.RouteOf(run), run.WorkflowId, WantsRamping(run));

    /// <summary>The first workflow task of a run that continues another may ask for the ramping version.</summary>
    public static bool WantsRamping(WorkflowRun run) =>
        run.State.Versioning is { } versioning
        && run.State.LastCompletedEventId == 0
        && versioning.Info.ContinueAsNewInitialVersioningBehavior == ContinueAsNewVersioningBehavior.UseRampingVersion;

    /// <summary>True when the run's own worker is not of the version that should get the next workflow task.</summary>
    public static bool LeavesStickyQueue(WorkflowRun run)
    {
        if (!run.Engine.Deployments.Any || run.State.Versioning?.Behavior == VersioningBehavior.Pinned)
            return false;
        return Target(run).Version is { } target && target != run.State.Versioning?.Version;
    }

    /// <summary>True when a worker that answers is not of the version whose workers have the run now: the next tasks are not for it.</summary>
    public static bool IsLeftBehind(WorkflowRun run, WorkerVersion? worker) =>
        run.State.Versioning is { } versioning && versioning.Behavior != VersioningBehavior.Unspecified && versioning.Version != worker;

    /// <summary>A worker is about to take the workflow task. False when it may not have it: the task goes to its queue again.</summary>
    public static bool TakesWorkflowTask(WorkflowRun run, WorkerVersion? worker)
    {
        var versioning = run.State.Versioning;
        if (worker is null && versioning is null)
            return true;
        return versioning?.Behavior != VersioningBehavior.Pinned || versioning.Version == worker;
    }

    /// <summary>A worker took the workflow task: when it is of another version the run moves there.</summary>
    public static void WorkflowTaskTaken(WorkflowRun run, WorkerVersion? worker)
    {
        if (worker != run.State.Versioning?.Version && !run.WorkflowTasks.IsSpeculative)
            StartTransition(run, worker);
    }

    /// <summary>A worker is about to take an activity. False when it may not have it now: the run moves first, or is moving.</summary>
    public static bool TakesActivityTask(WorkflowRun run, WorkerVersion? worker)
    {
        var versioning = run.State.Versioning;
        if (worker is null && versioning is null)
            return true;
        if (versioning is { InTransition: true })
            return false; // handed out again when the move is over
        if (worker == versioning?.Version || versioning?.Behavior == VersioningBehavior.Pinned || Target(run).Version != worker)
            return true; // an activity on a queue of other workers is versioned for itself
        StartTransition(run, worker);
        run.WorkflowTasks.Reschedule();
        return false;
    }

    /// <summary>A worker completed a workflow task: what it says of its version and of the workflow's behavior holds from now on.</summary>
    public static void WorkflowTaskCompleted(WorkflowRun run, WorkflowTaskCompletedEventAttributes completed)
    {
        if (Learn(run, completed))
            run.Activities.Reroute();
    }

    /// <summary>Notes what a completed workflow task says. True when activities that wait are for other workers than before.</summary>
    public static bool Learn(WorkflowRun run, WorkflowTaskCompletedEventAttributes completed)
    {
        if (run.State.Versioning is null && completed.VersioningBehavior == VersioningBehavior.Unspecified && completed.WorkerDeploymentName.Length == 0)
            return false;
        var versioning = run.State.Versioning ??= new VersioningState();
        var worker = WorkerVersion.From(completed.DeploymentVersion);
        var moved = versioning.InTransition && versioning.Version == worker;
        if (moved)
            versioning.Info.VersionTransition = null;
        var (versionBefore, behaviorBefore) = (versioning.Version, versioning.Behavior);
        versioning.WorkerDeployment = completed.WorkerDeploymentName;
        versioning.Info.Behavior = completed.VersioningBehavior;
        versioning.Info.DeploymentVersion = completed.VersioningBehavior == VersioningBehavior.Unspecified ? null : completed.DeploymentVersion;
        if (worker is not null && !versioning.Used.Contains(worker.ToString()))
            versioning.Used.Add(worker.ToString());
        if (worker is not null && WorkerVersion.From(versioning.Info.VersioningOverride?.OneTime?.TargetDeploymentVersion) == worker)
            versioning.Info.VersioningOverride = null; // it has done what it was for
        run.VisibleChange = true;
        return moved || versioning.Version != versionBefore || versioning.Behavior != behaviorBefore;
    }

    /// <summary>Notes an override, or that there is none any more. True when that changes whose workers may have the run's tasks.</summary>
    public static bool Override(WorkflowRun run, VersioningOverride? given)
    {
        if (given is null && run.State.Versioning is null)
            return false;
        var versioning = run.State.Versioning ??= new VersioningState();
        var (versionBefore, behaviorBefore) = (versioning.Version, versioning.Behavior);
        versioning.Info.VersioningOverride = VersioningOverrides.Current(given);
        versioning.WorkerDeployment = VersioningOverrides.TargetOf(versioning.Info.VersioningOverride)?.Deployment ?? versioning.Info.DeploymentVersion?.DeploymentName ?? "";
        run.VisibleChange = true;
        if (versioning.Version == versionBefore && versioning.Behavior == behaviorBefore)
            return false;
        versioning.Info.VersionTransition = null; // the override has it its way at once
        return true;
    }

    /// <summary>Hands out again, to whom they belong now, the tasks that no worker has.</summary>
    public static void MoveTasks(WorkflowRun run)
    {
        run.WorkflowTasks.ClearSticky();
        run.WorkflowTasks.RescheduleWaiting();
        run.Activities.Reroute();
    }

    /// <summary>A workflow task starts: tells a pinned workflow when routing has another version for it than before.</summary>
    public static bool TargetChanged(WorkflowRun run)
    {
        if (run.State.Versioning is not { } versioning || versioning.Behavior == VersioningBehavior.Unspecified)
            return false;
        if (versioning.Info.VersioningOverride is not null)
        {
            versioning.Notified = versioning.Declined = null;
            return false;
        }
        if (versioning.Behavior != VersioningBehavior.Pinned)
            return false;
        var (target, revision) = Target(run);
        if (target == versioning.Version)
            versioning.Notified = versioning.Declined = null;
        else if (versioning.Declined is null || revision > versioning.Declined.Revision)
            (versioning.Notified, versioning.Declined) = (VersionNotice.Of(target, revision), null);
        return versioning.Notified is not null;
    }

    /// <summary>Counts the run under the version that holds it. Called with each step of a run that knows versions.</summary>
    public static void Count(WorkflowRun run, VersioningState versioning)
    {
        var holder = !run.IsOpen ? null : versioning.InTransition ? versioning.Version : versioning.Pinned;
        if (holder == run.CountedUnder)
            return;
        run.Engine.Deployments.Held.Move(
            run.Name.NamespaceId, run.CountedUnder, holder, version => run.After(() => run.Engine.Deployments.HeldChanged(run.Namespace, version)));
        run.CountedUnder = holder;
    }

    /// <summary>As descriptions show it; null when the run never met a version.</summary>
    public static WorkflowExecutionVersioningInfo? Describe(WorkflowRun run)
    {
        if (run.State.Versioning is not { } versioning || versioning.Info.CalculateSize() == 0)
            return null;
        var info = versioning.Info.Clone();
#pragma warning disable CS0612 // The older fields are deprecated, and what older clients read.
        if (WorkerVersion.From(info.DeploymentVersion) is { } version)
            info.Version = version.ToOldString();
        if (info.VersionTransition is { } transition)
            transition.Version = WorkerVersion.OldString(WorkerVersion.From(transition.DeploymentVersion));
#pragma warning restore CS0612
        if (info.VersioningOverride is { } given)
            info.VersioningOverride = VersioningOverrides.WithOldFields(given);
        return info;
    }

    private static void StartTransition(WorkflowRun run, WorkerVersion? to)
    {
        var versioning = run.State.Versioning ??= new VersioningState();
        var (target, revision) = Target(run);
        versioning.Info.VersionTransition = new DeploymentVersionTransition { DeploymentVersion = to?.ToMessage() };
        if (target == to)
            versioning.Info.RevisionNumber = revision;
        run.WorkflowTasks.ClearSticky();
        run.Touch();
    }
}
