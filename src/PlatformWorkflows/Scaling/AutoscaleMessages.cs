using PlatformOps.Platform.Scaling;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Scaling;

/// <summary>Input of <c>Autoscale</c> (workflow id <c>autoscale/{environment}</c>).</summary>
public sealed record AutoscaleInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Only these components. Default: all that have signals in the catalog and a range in the specification.</summary>
    public IReadOnlyList<string>? Components { get; init; }

    /// <summary>Time between looks, with its unit. Default <c>30s</c>; 10s to 1m.</summary>
    public string? Every { get; init; }

    /// <summary>Set by a run for the run that continues it.</summary>
    public AutoscaleState? State { get; init; }
}

/// <summary>What a run of <c>Autoscale</c> hands to the run that continues it. Small: it is carried along for ever.</summary>
public sealed record AutoscaleState
{
    /// <summary>When the first of these runs began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>By <c>component@region</c>.</summary>
    public required IReadOnlyDictionary<string, SubjectState> Subjects { get; init; }

    /// <summary>Why nothing at all is scaled; null: it is.</summary>
    public string? Paused { get; init; }

    /// <summary>The changes of last, oldest first.</summary>
    public required IReadOnlyList<AutoscaleDecision> Changes { get; init; }

    /// <summary>How many changes there were in all.</summary>
    public int ChangeCount { get; init; }

    /// <summary>How many times a change took back the one before it within half an hour.</summary>
    public int Oscillations { get; init; }
}

/// <summary>What is known of one component in one region.</summary>
public sealed record SubjectState
{
    public ScalingMemory Memory { get; init; } = ScalingMemory.Empty;

    /// <summary>The decision of the last look.</summary>
    public AutoscaleDecision? Latest { get; init; }

    /// <summary>The last change.</summary>
    public AutoscaleDecision? Changed { get; init; }

    /// <summary>Why it is not scaled; null: it is.</summary>
    public string? Paused { get; init; }

    /// <summary>A number that somebody wants instead; null: none.</summary>
    public ReplicaOverride? Override { get; init; }
}

/// <param name="Until">When the policy decides again.</param>
public sealed record ReplicaOverride(int Replicas, string Reason, DateTimeOffset Until);

/// <summary>A decision about one component in one region.</summary>
/// <param name="Why">One sentence for an operator.</param>
public sealed record AutoscaleDecision(string Component, string Region, DateTimeOffset At, ScalingVerdict Verdict, int? From, int? To, string Why);

/// <summary>Input of the updates <c>pause</c> and <c>resume</c>.</summary>
/// <param name="Component">Null: everything.</param>
/// <param name="Reason">Why; required for <c>pause</c>.</param>
public sealed record PauseInput(string? Component = null, string? Reason = null);

/// <summary>Input of the update <c>override</c>.</summary>
/// <param name="For">How long, with its unit. Default <c>1h</c>; 1s to 7d.</param>
public sealed record OverrideInput(string? Component, string? Region, int? Replicas, string? Reason, string? For = null);

/// <summary>Answer of the query <c>decisions</c>.</summary>
/// <param name="Latest">Of every component and region.</param>
/// <param name="Changes">The last ones, oldest first.</param>
/// <param name="ChangeCount">How many there were in all.</param>
/// <param name="Oscillations">How many times a change took back the one before it within half an hour.</param>
public sealed record AutoscaleDecisions(IReadOnlyList<AutoscaleDecision> Latest, IReadOnlyList<AutoscaleDecision> Changes, int ChangeCount, int Oscillations);

/// <summary>Result of <c>Autoscale</c>, when it was stopped.</summary>
public sealed record AutoscaleReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required AutoscaleOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    public required AutoscaleDecisions Decisions { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum AutoscaleOutcome
{
    /// <summary>Somebody stopped it. The numbers stay as they are.</summary>
    Stopped,
}

/// <summary>An <see cref="AutoscaleInput"/> that has been checked, with its defaults filled in.</summary>
internal sealed record AutoscaleRequest(string Environment, IReadOnlyList<string>? Components, TimeSpan Every)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(10), Longest = TimeSpan.FromMinutes(1);

    /// <exception cref="ApplicationFailureException">A field is missing or wrong; the message names it.</exception>
    public static AutoscaleRequest From(Input<AutoscaleInput>? input)
    {
        var fields = RequestFields.Given(input);
        var every = RequestFields.Duration("every", fields.Every, Longest) ?? TimeSpan.FromSeconds(30);
        return every >= Shortest
            ? new(RequestFields.Environment(fields.Environment), RequestFields.Components(fields.Components), every)
            : throw FailureTypes.Invalid($"Field 'every' is '{fields.Every}'. From 10s to 1m is expected: numbers of signals are no newer, and older ones are no news.");
    }
}
