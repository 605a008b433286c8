using System.Globalization;
using System.Text.RegularExpressions;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>What every runbook is asked for, checked and with its defaults filled in.</summary>
/// <param name="ParkedAtMost">How long a parked run waits for an operator before it ends.</param>
internal record RunbookRequest(string Environment, string OperationId, TimeSpan ParkedAtMost)
{
    /// <summary>Before the input has been checked: what controls and queries may meet.</summary>
    public static RunbookRequest Unchecked(string? environment) => new(environment ?? "", "", TimeSpan.Zero);
}

/// <summary>Checks the fields that the inputs of several runbooks have. A mistake becomes a failure that names the field.</summary>
internal static partial class RequestFields
{
    /// <exception cref="ApplicationFailureException">There is no input, or it cannot be read.</exception>
    public static T Given<T>(Input<T>? input)
        where T : class =>
        input?.Read() ?? throw FailureTypes.Invalid("""There is no input. Give at least {"environment": "<name>"}.""");

    public static string Environment(string? given) => string.IsNullOrWhiteSpace(given)
        ? throw FailureTypes.Invalid("Field 'environment' is missing. Give the environment's name in the specification.")
        : given;

    /// <param name="verb">First word of the id when none was given, for example <c>provision</c>.</param>
    /// <param name="firstRunId">Last word of the id when none was given; survives a reset of the workflow.</param>
    public static string OperationId(string? given, string verb, string environment, string firstRunId)
    {
        if (given is null)
        {
            var name = NotInOperationIds().Replace($"{verb}-{environment}".ToLowerInvariant(), "-");
            return $"{name[..Math.Min(name.Length, 50)]}-{firstRunId[..Math.Min(firstRunId.Length, 8)]}";
        }

        return OperationIdPattern().IsMatch(given) ? given : throw FailureTypes.Invalid(
            $"Field 'operationId' is '{given}'. Lower-case letters, digits and dashes are allowed, beginning and ending with a letter or digit, at most 63 characters.");
    }

    public static IReadOnlyList<string>? Components(IReadOnlyList<string>? given) => given is { Count: 0 }
        ? throw FailureTypes.Invalid("Field 'components' is empty. Leave it out for all components, or name some.")
        : given;

    public static TimeSpan HealthyWithin(string? given) => Duration("healthyWithin", given, TimeSpan.FromHours(24)) ?? TimeSpan.FromMinutes(15);

    public static TimeSpan ParkedAtMost(string? given) => Duration("parkedAtMost", given, TimeSpan.FromDays(30)) ?? TimeSpan.FromHours(24);

    /// <summary>A moment; null when it is not given.</summary>
    public static DateTimeOffset? Moment(string field, string? text) => text is null ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment) ? moment
        : throw FailureTypes.Invalid($"Field '{field}' is '{text}'. A moment in UTC is expected, for example 2026-03-01T09:41:00Z.");

    /// <summary>From a second to <paramref name="maximum"/>; null when it is not given.</summary>
    public static TimeSpan? Duration(string field, string? text, TimeSpan maximum)
    {
        if (text is null)
            return null;
        var match = DurationPattern().Match(text);
        if (!match.Success || Of(match) is var duration && (duration < TimeSpan.FromSeconds(1) || duration > maximum))
            throw FailureTypes.Invalid($"Field '{field}' is '{text}'. A number with its unit is expected (90s, 15m, 24h, 30d), from 1s to {(maximum.TotalDays > 1 ? $"{maximum.TotalDays:0}d" : $"{maximum.TotalHours:0}h")}.");
        return Of(match);
    }

    private static TimeSpan Of(Match match)
    {
        var number = double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => TimeSpan.FromDays(number),
        };
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    private static partial Regex OperationIdPattern();

    [GeneratedRegex("[^a-z0-9-]")]
    private static partial Regex NotInOperationIds();

    [GeneratedRegex("^([0-9]{1,7})([smhd])$")]
    private static partial Regex DurationPattern();
}
