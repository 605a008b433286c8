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

    /// <summary>A name, as it is shown or as protocol buffers write it, or its number.</summary>
    private static string? Status(FilterToken token) => token.Kind switch
    {
        FilterTokenKind.Number when int.TryParse(token.Value, CultureInfo.InvariantCulture, out var number) && Enum.IsDefined((WorkflowExecutionStatus)number) =>
            ((WorkflowExecutionStatus)number).ToString(),
        FilterTokenKind.Text => Array.Find(Enum.GetNames<WorkflowExecutionStatus>(), name =>
            name == token.Value || $"WORKFLOW_EXECUTION_STATUS_{Underscored(name)}" == token.Value),
        _ => null,
    };

    /// <summary>ContinuedAsNew becomes CONTINUED_AS_NEW.</summary>
    private static string Underscored(string name) =>
        string.Concat(name.Select((letter, i) => i > 0 && char.IsUpper(letter) ? $"_{letter}" : $"{char.ToUpperInvariant(letter)}"));

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
        FilterTokenKind.Text => Rfc3339(token.Value),
        FilterTokenKind.Number when long.TryParse(token.Value, CultureInfo.InvariantCulture, out var nanoseconds) =>
            DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick),
        _ => null,
    };

    /// <summary>A date, a time to as many places as wanted, and an offset: nothing less, as on the real server.</summary>
    private static object? Rfc3339(string text) =>
        text.Length > 19 && text[10] == 'T' && (text[^1] == 'Z' || (text.Length > 24 && text[^3] == ':' && text[^6] is '+' or '-'))
            && DateTimeOffset.TryParse(WithTicks(text), CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : null;

    /// <summary>Nanoseconds are cut off: times are kept to a tenth of a microsecond.</summary>
    private static string WithTicks(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        if (point < 0)
            return text;
        var end = point + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
            end++;
        return end - point > 8 ? text.Remove(point + 8, end - point - 8) : text;
    }

    /// <summary>Nanoseconds, from nanoseconds, <c>1h30m</c> or <c>hh:mm:ss</c>.</summary>
    private static object? Duration(FilterToken token)
    {
        if (long.TryParse(token.Value, CultureInfo.InvariantCulture, out var nanoseconds))
            return nanoseconds;
        return token.Value.Contains(':') ? OnClock(token.Value) : WithUnits(token.Value);
    }

    /// <summary>Hours may be more than a day.</summary>
    private static object? OnClock(string text)
    {
        var parts = text.Split(':').Select(p => long.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1).ToList();
        return parts is [>= 0, >= 0 and < 60, >= 0 and < 60] ? ((((parts[0] * 60) + parts[1]) * 60) + parts[2]) * 1_000_000_000L : null;
    }

    private static object? WithUnits(string text)
    {
        if (text.StartsWith('-'))
            return WithUnits(text[1..]) is long positive ? -positive : null;
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
