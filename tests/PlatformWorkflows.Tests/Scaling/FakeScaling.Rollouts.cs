using System.Globalization;
using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>Where new runs of its workers go, and what became of them.</summary>
internal sealed partial class FakeScaling
{
    private VersionRoute route = new("1", null, 0);

    /// <summary>What becomes of the runs on the new version, by the part that it has.</summary>
    public Func<double, RunCounts> NewRuns { get; set; } = _ => new(20, 0, 0);

    /// <summary>Queues that the new workers do not poll.</summary>
    public IReadOnlyList<string> MissingQueues { get; set; } = [];

    /// <summary>Where new runs go; others may change it too.</summary>
    public VersionRoute Routed
    {
        get => route;
        set => route = value;
    }

    public Task<RolloutFound> ObserveRolloutAsync(ObserveRolloutInput input)
    {
        lock (gate)
        {
            // By the server's clock: it may be moved.
            var sight = new RolloutSight(
                input.Deployment, route.Current, route.Ramping, route.Percentage, [new("1", VersionStanding.Current, SeenAt), new("2", VersionStanding.Inactive, SeenAt)], MissingQueues,
                NewRuns(route.Current == "2" ? 100 : route.Percentage), new(100, 2, 0), new(ActivityExecutionContext.Current.Info.ScheduledTime, TimeSpan.Zero));
            var decision = RolloutRules.Decide(sight, input.Policy, null);
            return Task.FromResult(new RolloutFound(sight, GuardRails, Plan(new(
                decision.Verdict is RolloutVerdict.Leave or RolloutVerdict.Finished ? ScalingVerdict.Wait : ScalingVerdict.Scale, 1, 2, decision.Why), SeenAt)));
        }
    }

    public Task<ScaleStepResult> RouteVersionAsync(RouteVersionInput input)
    {
        lock (gate)
        {
            var failing = failures.TryDequeue(out var failure);
            if (route != input.To && route != input.From)
                throw new ApplicationFailureException("Somebody has changed that meanwhile.", FailureTypes.FactsChanged, nonRetryable: true);
            if (route != input.To && (!failing || failure.AfterEffect))
            {
                Events.Enqueue(input.To.Ramping is { } ramping ? $"{ramping} {input.To.Percentage.ToString(CultureInfo.InvariantCulture)}%" : $"{input.To.Current} all");
                route = input.To;
            }

            return failing
                ? throw new ApplicationFailureException("Temporal does not answer.", failure.Type ?? FailureTypes.Unavailable, nonRetryable: failure.Type is not null)
                : Task.FromResult(new ScaleStepResult("Told."));
        }
    }

    public Task<ForgottenVersions> ForgetVersionsAsync(ForgetVersionsInput input)
    {
        Events.Enqueue($"forget all but {input.Keep.ToString(CultureInfo.InvariantCulture)}");
        return Task.FromResult(new ForgottenVersions(["0"], [], 2));
    }
}
