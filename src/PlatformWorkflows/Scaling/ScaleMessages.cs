using System.Globalization;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Scaling;

/// <summary>Input of <c>ScaleComponent</c> (workflow id <c>scale/{environment}/{component}@{region}</c>).</summary>
public sealed record ScaleComponentInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The component's name in the catalog.</summary>
    public string? Component { get; init; }

    /// <summary>Required. The region whose replicas are meant.</summary>
    public string? Region { get; init; }

    /// <summary>Required, unless <see cref="InstanceClass"/> is given. How many there are to be.</summary>
    public int? Replicas { get; init; }

    /// <summary>Instead, of a managed database: the class that it is to have, such as <c>db.r6g.xlarge</c>; one of the specification's <c>scaling.COMPONENT.classes</c>.</summary>
    public string? InstanceClass { get; init; }

    /// <summary>Required. Why, for the report and for whoever looks at the workload.</summary>
    public string? Reason { get; init; }

    /// <summary>Which number is meant. Default: what the catalog scales, usually <c>replicas</c>.</summary>
    public string? Parameter { get; init; }

    /// <summary>How long the number is meant for, with its unit: the one of before comes back then. Default: it stays; 1s to 30d.</summary>
    public string? For { get; init; }

    /// <summary>When the number of before comes back, in UTC, such as <c>2026-03-01T18:00:00Z</c>. Instead of <see cref="For"/>; at most 30 days ahead.</summary>
    public string? Until { get; init; }

    /// <summary><c>apply</c> (default) or <c>plan</c>.</summary>
    public RunbookMode Mode { get; init; } = RunbookMode.Apply;

    /// <summary>How long signals are watched afterwards: when the change has made one miss its target, the number of before comes back. Default 5m; 1s to 24h.</summary>
    public string? WatchFor { get; init; }

    /// <summary>How long new replicas may take to become ready before the number of before comes back. Default 15m; 1s to 24h.</summary>
    public string? HealthyWithin { get; init; }

    /// <summary>How long replicas may take to come to the point where they may go. Default 24h; 1s to 7d.</summary>
    public string? DrainWithin { get; init; }

    /// <summary>Stamped on what the run changes. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long a parked run waits for an operator before it ends. Default 24h; 1s to 30d.</summary>
    public string? ParkedAtMost { get; init; }
}

/// <summary>Result of <c>ScaleComponent</c>.</summary>
public sealed record ScaleReport
{
    public required string Environment { get; init; }

    public required string Component { get; init; }

    public required string Region { get; init; }

    public required string OperationId { get; init; }

    public required ScaleOutcome Outcome { get; init; }

    /// <summary>One sentence for the operator.</summary>
    public required string Summary { get; init; }

    /// <summary>Why it was asked for.</summary>
    public required string Reason { get; init; }

    /// <summary>How many there were; null: it could not be seen.</summary>
    public int? From { get; init; }

    /// <summary>How many were asked for; null: a class was.</summary>
    public int? To { get; init; }

    /// <summary>How many there are to be at the end; null: it could not be seen.</summary>
    public int? Now { get; init; }

    /// <summary>The class that the managed database had; null: it could not be seen, or none was asked for.</summary>
    public string? FromClass { get; init; }

    /// <summary>The class that was asked for; null: none was.</summary>
    public string? ToClass { get; init; }

    /// <summary>The class that it has at the end, or is on its way to; null: as <see cref="FromClass"/>.</summary>
    public string? NowClass { get; init; }

    /// <summary>When the number of before was to come back; null: never.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The signals before and after the change.</summary>
    public required IReadOnlyList<SignalChange> Signals { get; init; }

    public string? PlanHash { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <param name="Before">Null: unknown.</param>
/// <param name="After">Null: unknown, or nothing was changed.</param>
public sealed record SignalChange(string Name, string Unit, double Target, double? Before, double? After);

public enum ScaleOutcome
{
    /// <summary>There are as many as were asked for, and ready.</summary>
    Scaled,

    /// <summary>There were as many already.</summary>
    AsWanted,

    /// <summary>Only a plan was asked for.</summary>
    Planned,

    /// <summary>It must not be; nothing was changed.</summary>
    Refused,

    /// <summary>Not approved; nothing was changed.</summary>
    Rejected,

    /// <summary>Its time was over: the number of before is back.</summary>
    Ended,

    /// <summary>It did not do well, or was aborted: the number of before is back.</summary>
    Returned,

    /// <summary>Somebody else has set another number meanwhile, which was left.</summary>
    Superseded,

    /// <summary>The number of before could not be set again.</summary>
    Failed,
}

/// <summary>A <see cref="ScaleComponentInput"/> that has been checked, with its defaults filled in.</summary>
/// <param name="Until">Null: for good.</param>
internal sealed record ScaleRequest(
    string Environment, string OperationId, TimeSpan ParkedAtMost, ScalingReference Subject, int Replicas, string Reason, string? Parameter, DateTimeOffset? Until, RunbookMode Mode,
    TimeSpan WatchFor, TimeSpan HealthyWithin, TimeSpan DrainWithin)
    : RunbookRequest(Environment, OperationId, ParkedAtMost)
{
    /// <summary>The class that a managed database is to have, in the place of <see cref="Replicas"/>; null: a number is asked for.</summary>
    public string? InstanceClass { get; init; }

    private static readonly TimeSpan LongestFor = TimeSpan.FromDays(30);

    /// <exception cref="ApplicationFailureException">A field is missing or wrong; the message names it.</exception>
    public static ScaleRequest From(Input<ScaleComponentInput>? input, string firstRunId, DateTimeOffset now)
    {
        var fields = RequestFields.Given(input);
        var environment = RequestFields.Environment(fields.Environment);
        ControlFields.Require("component", fields.Component, "the component's name in the catalog");
        ControlFields.Require("region", fields.Region, "the region whose replicas are meant");
        ControlFields.Require("reason", fields.Reason, "why, for the report");
        if (fields.InstanceClass is not null && (fields.Replicas is not null || fields.Parameter is not null))
            throw FailureTypes.Invalid("Field 'instanceClass' stands beside 'replicas' or 'parameter'. Give the class of a managed database, or a number of replicas.");
        if (fields.InstanceClass is null && fields.Replicas is not (>= 0 and <= 10_000))
            throw FailureTypes.Invalid($"Field 'replicas' is {fields.Replicas?.ToString(CultureInfo.InvariantCulture) ?? "missing"}: how many there are to be, 0..10000.");
        return new(
            environment, RequestFields.OperationId(fields.OperationId, "scale", $"{fields.Component}-{fields.Region}", firstRunId), RequestFields.ParkedAtMost(fields.ParkedAtMost),
            new(environment, fields.Component!, fields.Region!), fields.Replicas ?? 0, fields.Reason!, fields.Parameter, End(fields, now), fields.Mode,
            RequestFields.Duration("watchFor", fields.WatchFor, TimeSpan.FromHours(24)) ?? TimeSpan.FromMinutes(5), RequestFields.HealthyWithin(fields.HealthyWithin),
            RequestFields.Duration("drainWithin", fields.DrainWithin, TimeSpan.FromDays(7)) ?? TimeSpan.FromHours(24))
        {
            InstanceClass = fields.InstanceClass,
        };
    }

    private static DateTimeOffset? End(ScaleComponentInput fields, DateTimeOffset now)
    {
        if (fields.For is not null && fields.Until is not null)
            throw FailureTypes.Invalid("Fields 'for' and 'until' are both given. Give one of them.");
        if (fields.Until is null)
            return now + RequestFields.Duration("for", fields.For, LongestFor);
        if (!DateTimeOffset.TryParse(fields.Until, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var until))
            throw FailureTypes.Invalid($"Field 'until' is '{fields.Until}'. A time in UTC is expected, for example 2026-03-01T18:00:00Z.");
        return until > now && until <= now + LongestFor
            ? until
            : throw FailureTypes.Invalid($"Field 'until' is '{fields.Until}'. A time from now ({now:yyyy-MM-ddTHH:mm:ssZ}) to 30 days ahead is expected.");
    }
}
