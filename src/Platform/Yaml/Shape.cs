using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Yaml;

/// <summary>What a YAML value may look like. One description serves reading, validation, defaults, the JSON Schema and the documentation.</summary>
internal abstract record Shape(string Summary);

internal sealed record MapShape(string Summary, IReadOnlyList<ShapeKey> Keys) : Shape(Summary);

/// <summary>A map whose keys are names that the author chooses; with <paramref name="Known"/>, only those, each with its own shape.</summary>
internal sealed record TableShape(string Summary, Shape Value, IReadOnlyDictionary<string, Shape>? Known = null) : Shape(Summary);

/// <summary>A map whose keys are free words (parameters, keys of a secret).</summary>
internal sealed record WordsShape(string Summary, Shape Value) : Shape(Summary);

internal sealed record ListShape(string Summary, Shape Item) : Shape(Summary);

internal sealed record TextShape(string Summary, IReadOnlyList<string>? Allowed = null, string? Pattern = null, string? PatternInWords = null) : Shape(Summary);

/// <param name="Minimum">Inclusive; <see cref="long.MinValue"/> for no limit.</param>
/// <param name="Maximum">Inclusive; <see cref="long.MaxValue"/> for no limit.</param>
internal sealed record IntegerShape(string Summary, long Minimum, long Maximum) : Shape(Summary)
{
    /// <summary><c>1..50</c>, <c>1 or more</c>, <c>50 or less</c>, or <c>any number</c>.</summary>
    public string Range => (Minimum, Maximum) switch
    {
        (long.MinValue, long.MaxValue) => "any number",
        (_, long.MaxValue) => $"{Minimum} or more",
        (long.MinValue, _) => $"{Maximum} or less",
        _ => $"{Minimum}..{Maximum}",
    };
}

internal sealed record BooleanShape(string Summary) : Shape(Summary);

/// <param name="ZeroWord">A word that may stand for no time at all, for example <c>continuous</c>.</param>
internal sealed record DurationShape(string Summary, TimeSpan? Minimum = null, TimeSpan? Maximum = null, string? ZeroWord = null) : Shape(Summary);

internal sealed record QuantityShape(string Summary) : Shape(Summary);

/// <summary>Times that recur, as five fields of cron.</summary>
internal sealed record CronShape(string Summary) : Shape(Summary);

/// <summary>Anything; the reader takes it as it stands (manifests).</summary>
internal sealed record AnyShape(string Summary) : Shape(Summary);

/// <param name="Default">Taken when the key is missing; null together with <paramref name="Required"/> false leaves the key out.</param>
internal sealed record ShapeKey(string Name, Shape Shape, bool Required = false, JsonNode? Default = null);
