using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PlatformOps.Platform.Schedules;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Yaml;

/// <summary>Reads nodes by their shape into JSON with defaults filled in and values in normal form; finds every problem on the way.</summary>
internal sealed partial class ShapeReader(ICollection<Problem> problems)
{
    /// <summary>Where each path of the result came from, for checks that look at several values.</summary>
    public Dictionary<string, SourceNode> Sources { get; } = [];

    public JsonNode? Read(SourceNode node, Shape shape, string path)
    {
        Sources[path] = node;
        return (shape, node) switch
        {
            (MapShape map, SourceMap given) => ReadMap(given, map, path),
            (TableShape table, SourceMap given) => ReadTable(given, table, path),
            (WordsShape words, SourceMap given) => new JsonObject(given.Entries.Select(entry => KeyValuePair.Create(entry.Key, Read(entry.Value, words.Value, Join(path, entry.Key))))),
            (ListShape list, SourceList given) => new JsonArray([.. given.Items.Select((item, index) => Read(item, list.Item, $"{path}[{index}]"))]),
            (AnyShape, _) => ManifestJson.From(node),
            (MapShape or TableShape or WordsShape, _) => Refuse(node, path, "a map of keys is expected"),
            (ListShape, _) => Refuse(node, path, "a list is expected"),
            (_, SourceScalar scalar) => ReadScalar(scalar, shape, path),
            _ => Refuse(node, path, $"{InWords(shape)} is expected"),
        };
    }

    public void Report(string path, string message)
    {
        var at = path;
        while (at.Length > 0 && !Sources.ContainsKey(at))
            at = at.Contains('.', StringComparison.Ordinal) ? at[..at.LastIndexOf('.')] : "";
        var source = Sources.GetValueOrDefault(at);
        problems.Add(new(path, message, source?.File, source?.Line ?? 0));
    }

    private JsonObject ReadMap(SourceMap given, MapShape shape, string path)
    {
        foreach (var entry in given.Entries.Where(entry => shape.Keys.All(key => key.Name != entry.Key)))
            UnknownKey(given.File, entry, path, [.. shape.Keys.Select(key => key.Name)]);
        var result = new JsonObject();
        foreach (var key in shape.Keys)
        {
            if (given.Find(key.Name) is { } value)
                result[key.Name] = Read(value, key.Shape, Join(path, key.Name));
            else if (key.Required)
                problems.Add(new(Join(path, key.Name), $"is missing; {InWords(key.Shape)} is expected: {key.Shape.Summary}", given.File, given.Line));
            else if (key.Default is not null)
                result[key.Name] = key.Default.DeepClone();
            else if (key.Shape is TableShape or WordsShape)
                result[key.Name] = Read(new SourceMap(given.File, given.Line, []), key.Shape, Join(path, key.Name));
            else if (key.Shape is ListShape)
                result[key.Name] = new JsonArray();
        }

        return result;
    }

    private JsonObject ReadTable(SourceMap given, TableShape shape, string path)
    {
        var result = new JsonObject();
        foreach (var entry in given.Entries)
        {
            if (shape.Known is not null && !shape.Known.ContainsKey(entry.Key))
            {
                UnknownKey(given.File, entry, path, [.. shape.Known.Keys]);
                continue;
            }

            if (!IsName(entry.Key))
                problems.Add(new(Join(path, entry.Key), "is not a name: lower-case letters, digits and dashes, at most 63 characters, beginning and ending with a letter or digit", given.File, entry.Line));
            result[entry.Key] = Read(entry.Value, shape.Known?.GetValueOrDefault(entry.Key) ?? shape.Value, Join(path, entry.Key));
        }

        return result;
    }

    private JsonNode? ReadScalar(SourceScalar scalar, Shape shape, string path)
    {
        var text = scalar.Text;
        switch (shape)
        {
            case IntegerShape integer:
                if (scalar.Quoted || !WholeNumber().IsMatch(text))
                    return Refuse(scalar, path, $"'{text}' is not a whole number{(scalar.Quoted ? " because of its quotes" : "")}; {integer.Range} is expected");
                return !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) || number < integer.Minimum || number > integer.Maximum
                    ? Refuse(scalar, path, $"{text} is outside {integer.Range}")
                    : JsonValue.Create(number);
            case BooleanShape:
                return !scalar.Quoted && text is "true" or "false"
                    ? JsonValue.Create(text == "true")
                    : Refuse(scalar, path, $"'{text}' is not true or false");
            case DurationShape shapeOfDuration:
                return ReadDuration(scalar, shapeOfDuration, path);
            case QuantityShape:
                return Units.TryNormaliseQuantity(text, out var quantity)
                    ? JsonValue.Create(quantity)
                    : Refuse(scalar, path, $"'{text}' is not a quantity; a number with its unit is expected, for example 500m, 2 or 2Gi");
            case CronShape:
                return CronExpression.Read(text, out var problem) is { } cron ? JsonValue.Create(cron.Text) : Refuse(scalar, path, problem);
            case TextShape textShape:
                if (textShape.Allowed is { Count: > 0 } allowed && !allowed.Contains(text))
                    return Refuse(scalar, path, $"'{text}' is not possible; one of {string.Join(", ", allowed)} is expected{DidYouMean(text, allowed)}{(allowed.Count == 1 ? $". {textShape.Summary}" : "")}");
                return textShape.Pattern is { } pattern && !Regex.IsMatch(text, pattern)
                    ? Refuse(scalar, path, $"'{text}' is not {textShape.PatternInWords}")
                    : JsonValue.Create(text);
            default:
                throw new InvalidOperationException($"No way to read a {shape.GetType().Name}.");
        }
    }

    private JsonNode? ReadDuration(SourceScalar scalar, DurationShape shape, string path)
    {
        var text = scalar.Text;
        if (shape.ZeroWord is not null && text == shape.ZeroWord)
            return JsonValue.Create(Units.Format(TimeSpan.Zero));
        if (!Units.TryParseDuration(text, out var duration))
        {
            var word = shape.ZeroWord is null ? "" : $", or {shape.ZeroWord}";
            return Refuse(scalar, path, $"'{text}' is not a duration; numbers with their units, largest first, are expected, for example 90s, 15m, 1h30m or 30d{word}");
        }

        if (duration < shape.Minimum)
            return Refuse(scalar, path, $"{text} is too short; {Units.Format(shape.Minimum.Value)} or more is expected");
        return duration > shape.Maximum
            ? Refuse(scalar, path, $"{text} is too long; {Units.Format(shape.Maximum.Value)} or less is expected")
            : JsonValue.Create(Units.Format(duration));
    }

    private JsonNode? Refuse(SourceNode node, string path, string message)
    {
        problems.Add(new(path, message, node.File, node.Line));
        return null;
    }

    private void UnknownKey(string file, SourceEntry entry, string path, IReadOnlyList<string> known) =>
        problems.Add(new(Join(path, entry.Key), $"is not a known key{DidYouMean(entry.Key, known)}. Known: {string.Join(", ", known)}", file, entry.Line));

    private static string DidYouMean(string given, IReadOnlyList<string> known)
    {
        var nearest = known.Select(name => (Name: name, Distance: Distance(given, name))).OrderBy(pair => pair.Distance).FirstOrDefault();
        return nearest.Name is not null && nearest.Distance <= Math.Max(1, given.Length / 3) ? $" (did you mean {nearest.Name}?)" : "";
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1)));
        }

        return row[b.Length];
    }

    private static bool IsName(string text) =>
        text.Length is > 0 and <= 63 && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-') && text[0] != '-' && text[^1] != '-';

    private static string InWords(Shape shape) => shape switch
    {
        MapShape or TableShape or WordsShape => "a map of keys",
        ListShape => "a list",
        IntegerShape integer => $"a whole number, {integer.Range},",
        BooleanShape => "true or false",
        DurationShape => "a duration such as 15m",
        QuantityShape => "a quantity such as 500m",
        CronShape => "five fields of cron such as 30 3 * * mon",
        TextShape { Allowed: { Count: > 0 } allowed } => $"one of {string.Join(", ", allowed)}",
        _ => "text",
    };

    /// <summary>Without leading zeros: some readers of YAML take 010 for eight.</summary>
    [GeneratedRegex("^[+-]?(0|[1-9][0-9]*)$")]
    private static partial Regex WholeNumber();

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
