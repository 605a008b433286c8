using System.Collections.Concurrent;
using System.Globalization;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>A component's replicas in memory, which are ready at once unless they are held, and what is told to them.</summary>
internal sealed partial class FakeScaling : IScalingActivities
{
    private static readonly DateTimeOffset SeenAt = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Lock gate = new();
    private readonly ConcurrentQueue<(bool AfterEffect, string? Type)> failures = [];
    private int replicas = 3;
    private int looks;

    /// <summary>Everything that took effect: <c>3 to 5</c>, <c>empty web-4</c>.</summary>
    public ConcurrentQueue<string> Events { get; } = [];

    public ScalingDefinition How { get; init; } = new(
        "replicas", new("Deployment", "web", "shop"), [new("cpu", SignalKind.Average, "cpu", 60, "%"), new("database", SignalKind.Hold, "database", 100, "ms")],
        TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(2), 100, 10);

    public ScaleRange? Range { get; init; } = new(1, 10);

    public GuardRails GuardRails { get; init; } = new(0, 1, false, TimeSpan.FromHours(1));

    /// <summary>Why the parameter can never be changed.</summary>
    public string? Immutable { get; init; }

    /// <summary>How many become ready at most.</summary>
    public int ReadyAtMost { get; set; } = int.MaxValue;

    /// <summary>The signals, by how many replicas there are.</summary>
    public Func<int, (double? Cpu, double? Database)> Signals { get; init; } = replicas => (150.0 / replicas, 20);

    /// <summary>How busy they are, by how often an autoscaler has looked and how many there are.</summary>
    public Func<int, int, double?> Busy { get; init; } = (_, replicas) => 150.0 / replicas;

    /// <summary>How often an autoscaler has looked.</summary>
    public int AutoscalerLooks { get; private set; }

    /// <summary>Nobody can be asked.</summary>
    public bool Away { get; set; }

    /// <summary>What surrounds it, by how often it was looked at.</summary>
    public Func<int, ScalingSurroundings> Around { get; init; } = _ => new();

    public TemporaryScale? Temporary { get; set; }

    public string? Because { get; private set; }

    public int Looks => looks;

    public int Replicas
    {
        get => replicas;
        set => replicas = value;
    }

    public FakeScaling Fail(bool afterEffect, string? type = null)
    {
        failures.Enqueue((afterEffect, type));
        return this;
    }

    public Task<ScalingSight> ObserveScalingAsync(ObserveScalingInput input)
    {
        lock (gate)
        {
            var around = Around(++looks);
            var (cpu, database) = Signals(replicas);
            var subject = new ScaledSubject(input.Subject.Component, input.Subject.Region, input.Parameter ?? "replicas", Immutable, How, Range, 3);
            var seen = new ObservedScaling(replicas, Math.Min(replicas, ReadyAtMost), [Reading("cpu", cpu), Reading("database", database)], null, SeenAt);
            return Task.FromResult(new ScalingSight(
                subject, seen, "uid", [.. Enumerable.Range(0, replicas).Select(ordinal => $"web-{ordinal.ToString(CultureInfo.InvariantCulture)}")], around, Temporary, GuardRails,
                input.To is { } to ? Plan(ScaleRules.Decide(subject, seen, to), input.Until) : null));
        }
    }

    /// <summary>What is found of the standby's region.</summary>
    public StandbyVerdict Standby { get; init; } = new(true, "us-west-2 has room for 3 workloads of us-east-1, 2 more pods than us-west-2 has.", []);

    public Task<StandbyFound> ObserveStandbyAsync(ObserveStandbyInput input) => Away
        ? throw new ApplicationFailureException("The API server does not answer.", FailureTypes.Unavailable, nonRetryable: true)
        : Task.FromResult(new StandbyFound(input.Region ?? "us-west-2", "us-east-1", Standby));

    public Task<ScaledSights> ObserveScaledAsync(ObserveScaledInput input)
    {
        lock (gate)
        {
            if (Away)
                throw new ApplicationFailureException("The API server does not answer.", FailureTypes.Unavailable, nonRetryable: true);
            var cpu = Busy(++AutoscalerLooks, replicas);
            return Task.FromResult(new ScaledSights([new(
                new("web", "us-east-1", "replicas", null, How, Range, 3), new(replicas, Math.Min(replicas, ReadyAtMost), [Reading("cpu", cpu), Reading("database", 20)], null, SeenAt),
                "uid", [], new(), Temporary, GuardRails, null)]));
        }
    }

    public Task<ScaleStepResult> SetReplicasAsync(SetReplicasInput input)
    {
        lock (gate)
        {
            var failing = failures.TryDequeue(out var failure);
            if (!failing || failure.AfterEffect)
            {
                if (replicas != input.To)
                    Events.Enqueue($"{replicas} to {input.To}{string.Concat(input.Spare.Select(pod => $" without {pod}"))}");
                (replicas, Temporary, Because) = (input.To, input.Temporary, input.Reason);
            }

            return failing
                ? throw new ApplicationFailureException("The API server does not answer.", failure.Type ?? FailureTypes.Unavailable, nonRetryable: failure.Type is not null)
                : Task.FromResult(new ScaleStepResult("Told."));
        }
    }

    public Task<ScaleStepResult> EmptyNodeAsync(EmptyNodeInput input)
    {
        Events.Enqueue(input.Node is null ? "empty nobody" : $"empty {input.Node}");
        return Task.FromResult(new ScaleStepResult("Told."));
    }

    private static SignalReading Reading(string name, double? value) => new(name, value, value is null ? null : SeenAt, value is null ? "Prometheus has no number for it" : null);

    /// <summary>As small as a plan can be; its hash is what it changes.</summary>
    private static ProvisioningPlan Plan(ScalingDecision decision, DateTimeOffset? until) => new()
    {
        Platform = "shop",
        Environment = "development",
        SpecificationDigest = "s",
        CatalogDigest = "c",
        Hash = $"{decision.From}-{decision.To}",
        Components =
        [
            new()
            {
                Component = "web",
                Region = "us-east-1",
                DependsOn = [],
                Objects =
                [
                    new()
                    {
                        Address = new("us-east-1", "apps/v1", "Deployment", "shop", "web"),
                        Action = decision.Verdict == ScalingVerdict.Scale ? PlannedAction.Change : PlannedAction.None,
                        Reason = decision.Why,
                        Changes = decision.Verdict == ScalingVerdict.Scale ? [new("spec.replicas", $"{decision.From}", $"{decision.To}"), .. until is null ? Array.Empty<FieldChange>() : [new(ScaleMarks.Until, null, ScaleMarks.Text(until.Value))]] : [],
                    },
                ],
            },
        ],
    };
}
