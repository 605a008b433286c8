using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using Temporalio.Activities;

namespace PlatformOps.Workflows.Scaling;

/// <summary>What scaling asks of the outside.</summary>
public interface IScalingActivities
{
    /// <summary>Looks at a component's replicas, at how busy they are, and at what a change to a number would have consequences for. Changes nothing; what cannot be found out is unknown in the answer.</summary>
    [Activity]
    Task<ScalingSight> ObserveScalingAsync(ObserveScalingInput input);

    /// <summary>Looks at every component of an environment that follows signals: its replicas, and how busy they are. Changes nothing.</summary>
    [Activity]
    Task<ScaledSights> ObserveScaledAsync(ObserveScaledInput input);

    /// <summary>Sets the number of replicas, when it is still the one that was decided on. A number that is set already is left.</summary>
    [Activity]
    Task<ScaleStepResult> SetReplicasAsync(SetReplicasInput input);

    /// <summary>Has a node of Elasticsearch give its shards to the others, or ends that for all of the component's nodes.</summary>
    [Activity]
    Task<ScaleStepResult> EmptyNodeAsync(EmptyNodeInput input);

    /// <summary>Looks at a managed database whose class is to change, and decides about it. Changes nothing.</summary>
    [Activity]
    Task<ClassSight> ObserveDatabaseClassAsync(ObserveDatabaseClassInput input);

    /// <summary>Gives a managed database another class, asked for once however often it is called, and waits until it has it, is available and nothing is left to change. A class that somebody else has set meanwhile is left.</summary>
    [Activity]
    Task<ResizedDatabase> ResizeDatabaseAsync(ResizeDatabaseInput input);

    /// <summary>Looks whether a region could carry what another one carries. Changes nothing; a cluster that does not answer is unknown in the answer.</summary>
    [Activity]
    Task<StandbyFound> ObserveStandbyAsync(ObserveStandbyInput input);

    /// <summary>Looks which versions of a component's workers get new runs, and what became of those runs. Changes nothing.</summary>
    [Activity]
    Task<RolloutFound> ObserveRolloutAsync(ObserveRolloutInput input);

    /// <summary>Gives a version a part of the new runs, when they still go where it was decided on. What is so already is left.</summary>
    [Activity]
    Task<ScaleStepResult> RouteVersionAsync(RouteVersionInput input);

    /// <summary>Forgets the versions that are drained, all but the newest. What Temporal does not let go is named.</summary>
    [Activity]
    Task<ForgottenVersions> ForgetVersionsAsync(ForgetVersionsInput input);
}

/// <param name="Deployment">The name with which the component's workers poll.</param>
/// <param name="Policy">Which version is rolled out, and how: part of the plan.</param>
/// <param name="Old">The version with whose runs its own are compared; null: the current one, if it is another.</param>
/// <param name="Since">Runs that were started before are not counted.</param>
public sealed record ObserveRolloutInput(ScalingReference Subject, string Deployment, RolloutPolicy Policy, string? Old, DateTimeOffset Since);

/// <param name="Plan">What a rollout that has not begun would change.</param>
public sealed record RolloutFound(RolloutSight Sight, GuardRails GuardRails, ProvisioningPlan Plan);

/// <summary>Where the new runs of a deployment go.</summary>
/// <param name="Current">Null: to workers without a version.</param>
/// <param name="Ramping">Null: no version gets a part of them.</param>
public sealed record VersionRoute(string? Current, string? Ramping, double Percentage);

/// <param name="From">What it was decided on.</param>
/// <param name="To">What is to be; one of both fields differs.</param>
public sealed record RouteVersionInput(ScalingReference Subject, string Deployment, VersionRoute From, VersionRoute To);

/// <param name="Keep">How many drained ones stay.</param>
public sealed record ForgetVersionsInput(ScalingReference Subject, string Deployment, int Keep);

/// <param name="Forgotten">Build ids.</param>
/// <param name="Kept">Drained ones that were to go and could not, each with the reason.</param>
/// <param name="Versions">How many are left.</param>
public sealed record ForgottenVersions(IReadOnlyList<string> Forgotten, IReadOnlyList<string> Kept, int Versions);

/// <param name="Region">The one that would have to carry; null: the second one of the environment.</param>
public sealed record ObserveStandbyInput(string Environment, string? Region);

/// <param name="Region">The one that would have to carry.</param>
/// <param name="Serving">The one that carries.</param>
public sealed record StandbyFound(string Region, string Serving, StandbyVerdict Verdict);

/// <summary>Which component of which region.</summary>
public sealed record ScalingReference(string Environment, string Component, string Region);

/// <param name="Parameter">Whose number is asked about; null: what the catalog scales.</param>
/// <param name="To">The number that is asked for: what it has consequences for is looked at; null: only how things are.</param>
/// <param name="Until">When the number of before is to come back; part of the plan.</param>
public sealed record ObserveScalingInput(ScalingReference Subject, string? Parameter = null, int? To = null, DateTimeOffset? Until = null);

/// <param name="Components">Null: all that have signals in the catalog and a range in the specification.</param>
public sealed record ObserveScaledInput(string Environment, IReadOnlyList<string>? Components);

/// <param name="Sights">Without their surroundings, and without the texts of queries.</param>
public sealed record ScaledSights(IReadOnlyList<ScalingSight> Sights);

/// <summary>A component's replicas and what surrounds them.</summary>
/// <param name="Uid">The workload that was looked at; null: there is none.</param>
/// <param name="Pods">The names of its pods.</param>
/// <param name="Around">Only what a change in the direction of the asked number needs.</param>
/// <param name="Temporary">The number is meant for a while; null: it is not.</param>
/// <param name="Plan">What the asked number would change; null: none was asked for.</param>
public sealed record ScalingSight(
    ScaledSubject Subject,
    ObservedScaling Seen,
    string? Uid,
    IReadOnlyList<string> Pods,
    ScalingSurroundings Around,
    TemporaryScale? Temporary,
    GuardRails GuardRails,
    ProvisioningPlan? Plan)
{
    /// <summary>Why the replicas could not be seen; null: they could, or there is no workload.</summary>
    public string? Trouble { get; init; }
}

/// <param name="Uid">Of the workload that was looked at; another one of the same name is not touched.</param>
/// <param name="From">The number that was decided on; another one by now: nothing is done.</param>
/// <param name="Spare">Pods that may go first, when some go; the others are told to stay as long as possible.</param>
/// <param name="Temporary">When the number of before comes back; null: it does not, and what said so is taken away.</param>
public sealed record SetReplicasInput(
    ScalingReference Subject, string Uid, int From, int To, string OperationId, string Reason, IReadOnlyList<string> Spare, TemporaryScale? Temporary = null);

/// <param name="To">The class that is asked for.</param>
/// <param name="Until">When the class of before is to come back; part of the plan.</param>
public sealed record ObserveDatabaseClassInput(ScalingReference Subject, string To, DateTimeOffset? Until);

/// <summary>A managed database, and what becomes of its class.</summary>
/// <param name="ResourceId">RDS's own id of the instance; null: there is none.</param>
/// <param name="Temporary">The class is meant for a while; null: it is not.</param>
public sealed record ClassSight(DatabaseClassDecision Decision, string? ResourceId, TemporaryClass? Temporary, GuardRails GuardRails, ProvisioningPlan Plan);

/// <param name="ResourceId">Of the instance that was looked at; another one of the same name is not touched.</param>
/// <param name="From">The class that was decided on; the same as <paramref name="To"/>: nothing is asked for, and only waited.</param>
/// <param name="Temporary">When the class of before comes back; null: it does not, and what said so is taken away.</param>
public sealed record ResizeDatabaseInput(ScalingReference Subject, string? ResourceId, string From, string To, string OperationId, string Reason, TemporaryClass? Temporary = null);

/// <param name="Class">The one that it has, or is on its way to.</param>
/// <param name="Detail">What was found at the end, as a sentence.</param>
public sealed record ResizedDatabase(string Class, string Detail);

/// <param name="Node">Null: none of the component's nodes is emptied any more.</param>
public sealed record EmptyNodeInput(ScalingReference Subject, string? Node);

/// <param name="Detail">What was done, as a sentence.</param>
public sealed record ScaleStepResult(string Detail);
