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

    /// <summary>Looks whether a region could carry what another one carries. Changes nothing; a cluster that does not answer is unknown in the answer.</summary>
    [Activity]
    Task<StandbyFound> ObserveStandbyAsync(ObserveStandbyInput input);
}

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

/// <param name="Node">Null: none of the component's nodes is emptied any more.</param>
public sealed record EmptyNodeInput(ScalingReference Subject, string? Node);

/// <param name="Detail">What was done, as a sentence.</param>
public sealed record ScaleStepResult(string Detail);
