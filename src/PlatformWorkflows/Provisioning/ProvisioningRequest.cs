using System.Globalization;
using System.Text.RegularExpressions;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>A <see cref="ProvisionEnvironmentInput"/> that has been checked, with its defaults filled in.</summary>
internal sealed partial record ProvisioningRequest(
    string Environment,
    RunbookMode Mode,
    string OperationId,
    IReadOnlyList<string>? Components,
    TimeSpan HealthyWithin,
    TimeSpan ParkedAtMost)
{
    /// <summary>What is asked for.</summary>
    /// <param name="firstRunId">Gives the operation id when none was given; survives a reset of the workflow.</param>
    /// <exception cref="ApplicationFailureException">A field is missing or wrong; the message names it.</exception>
    public static ProvisioningRequest From(Input<ProvisionEnvironmentInput>? input, string firstRunId)
    {
        var fields = input?.Read() ?? throw FailureTypes.Invalid("""There is no input. Give at least {"environment": "<name>"}.""");
        if (string.IsNullOrWhiteSpace(fields.Environment))
            throw FailureTypes.Invalid("Field 'environment' is missing. Give the environment's name in the specification.");
        if (fields.OperationId is { } given && !OperationIdPattern().IsMatch(given))
            throw FailureTypes.Invalid(
                $"Field 'operationId' is '{given}'. Lower-case letters, digits and dashes are allowed, beginning and ending with a letter or digit, at most 63 characters.");
        if (fields.Components is { Count: 0 })
            throw FailureTypes.Invalid("Field 'components' is empty. Leave it out for all components, or name some.");
        return new(
            fields.Environment,
            fields.Mode,
            fields.OperationId ?? DefaultOperationId(fields.Environment, firstRunId),
            fields.Components,
            Duration("healthyWithin", fields.HealthyWithin, TimeSpan.FromMinutes(15), TimeSpan.FromHours(24)),
            Duration("parkedAtMost", fields.ParkedAtMost, TimeSpan.FromHours(24), TimeSpan.FromDays(30)));
    }

    private static string DefaultOperationId(string environment, string firstRunId)
    {
        var name = NotInOperationIds().Replace($"provision-{environment}".ToLowerInvariant(), "-");
        return $"{name[..Math.Min(name.Length, 50)]}-{firstRunId[..Math.Min(firstRunId.Length, 8)]}";
    }

    private static TimeSpan Duration(string field, string? text, TimeSpan whenAbsent, TimeSpan maximum)
    {
        if (text is null)
            return whenAbsent;
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
