using System.Globalization;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>Reads the right side of a comparison as a value of the attribute on the left.</summary>
internal static class FilterValues
{
    private static readonly (string Unit, double Nanoseconds)[] Units =
        [("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86400e9)];

    public static object Read(FilterToken token, AttributeReader attribute)
    {
        if (token.Kind is FilterTokenKind.Word && !token.Is("true") && !token.Is("false"))
            throw FilterException.At(token.Position, $"{token.Shown} is not a value (did you forget to quote it?)");
        if (token.Kind is FilterTokenKind.QuotedName or FilterTokenKind.Symbol or FilterTokenKind.End)
            throw FilterException.At(token.Position, $"a value is missing before {token.Shown}");
        return ValueOf(token, attribute) ?? throw FilterException.At(
            token.Position, $"{token.Shown} is not a value for search attribute {attribute.Name} of type {attribute.Type}");
    }

    private static object? ValueOf(FilterToken token, AttributeReader attribute) => attribute switch
    {
        { Name: "ExecutionStatus" } => Status(token),
        { Name: "ExecutionDuration" } => Duration(token),
        { Type: IndexedValueType.Bool } => token.Kind == FilterTokenKind.Word ? token.Is("true") : null,
        { Type: IndexedValueType.Int } => Number(token, wholeFirst: true),
        { Type: IndexedValueType.Double } => Number(token, wholeFirst: false),
        { Type: IndexedValueType.Datetime } => Time(token),
        _ => token.Kind == FilterTokenKind.Text ? token.Value : null,
    };

    private static string? Status(FilterToken token) =>
        Enum.TryParse<WorkflowExecutionStatus>(token.Value, ignoreCase: token.Kind == FilterTokenKind.Number, out var status)
            && Enum.IsDefined(status) && status != WorkflowExecutionStatus.Unspecified
            ? status.ToString()
            : null;

    private static object? Number(FilterToken token, bool wholeFirst)
    {
        if (token.Kind != FilterTokenKind.Number)
            return null;
        if (wholeFirst && long.TryParse(token.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return whole;
        return double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static object? Time(FilterToken token) => token.Kind switch
    {
        FilterTokenKind.Text when DateTimeOffset.TryParse(token.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => time,
        FilterTokenKind.Number when long.TryParse(token.Value, CultureInfo.InvariantCulture, out var nanoseconds) =>
            DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick),
        _ => null,
    };

    /// <summary>Nanoseconds, from nanoseconds, <c>1h30m</c> or <c>hh:mm:ss</c>.</summary>
    private static object? Duration(FilterToken token)
    {
        if (long.TryParse(token.Value, CultureInfo.InvariantCulture, out var nanoseconds))
            return nanoseconds;
        if (token.Value.Contains(':') && TimeSpan.TryParse(token.Value, CultureInfo.InvariantCulture, out var clock))
            return clock.Ticks * TimeSpan.NanosecondsPerTick;
        return WithUnits(token.Value);
    }

    private static object? WithUnits(string text)
    {
        double sum = 0;
        for (var at = 0; at < text.Length;)
        {
            var number = at;
            while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
                at++;
            var unit = at;
            while (at < text.Length && char.IsLetter(text[at]))
                at++;
            var factor = Array.Find(Units, u => u.Unit == text[unit..at]).Nanoseconds;
            if (factor == 0 || !double.TryParse(text[number..unit], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
                return null;
            sum += amount * factor;
        }
        return text.Length == 0 ? null : (long)sum;
    }
}
