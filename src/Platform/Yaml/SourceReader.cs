using PlatformOps.Platform.Specification;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace PlatformOps.Platform.Yaml;

/// <summary>Turns YAML text into nodes with positions. Whatever is malformed or not supported becomes a problem, never an exception.
/// Reads the parser's events itself: the depth is bounded, and every duplicate key is found, not only the first.</summary>
internal sealed class SourceReader
{
    /// <summary>No specification or manifest is nested deeper; a bound keeps a hostile text from exhausting the stack.</summary>
    private const int MaximumDepth = 64;

    private readonly string file;
    private readonly ICollection<Problem> problems;
    private readonly IParser parser;

    private SourceReader(string file, IParser parser, ICollection<Problem> problems) =>
        (this.file, this.parser, this.problems) = (file, parser, problems);

    /// <summary>All documents of a text, empty ones left out; none when a problem was found.</summary>
    public static IReadOnlyList<SourceNode> ReadAll(string file, string text, ICollection<Problem> problems)
    {
        var before = problems.Count;
        var documents = new List<SourceNode>();
        using var reader = new StringReader(text);
        var source = new SourceReader(file, new Parser(reader), problems);
        try
        {
            source.parser.Consume<StreamStart>();
            while (source.parser.TryConsume<DocumentStart>(out _))
            {
                var root = source.Node(0);
                if (root is not SourceScalar { Quoted: false, Text: "" })
                    documents.Add(root);
                source.parser.Consume<DocumentEnd>();
            }
        }
        catch (DepthExceededException)
        {
            return [];
        }
        catch (YamlException malformed)
        {
            problems.Add(new("", Reason(malformed, text), file, (int)malformed.Start.Line));
        }

        catch (InvalidOperationException)
        {
            // The parser gives up so where a list or map in brackets is never closed.
            var line = source.parser.Current is { } reached ? Line(reached) : 1;
            problems.Add(new("", "this is not YAML: a bracket or a quote that is opened here or above is not closed", file, line));
        }

        return problems.Count == before ? documents : [];
    }

    /// <summary>The one document of a file, which must be a map; null when it is not, with a problem that says so.</summary>
    public static SourceMap? ReadMap(string file, string text, ICollection<Problem> problems)
    {
        var before = problems.Count;
        var documents = ReadAll(file, text, problems);
        if (problems.Count > before)
            return null;
        if (documents is [SourceMap map])
            return map;
        problems.Add(documents.Count switch
        {
            0 => new("", "the file is empty; a map of keys is expected, beginning with apiVersion or name", file, 1),
            1 => new("", "a map of keys (key: value) is expected at the top of the file", file, documents[0].Line),
            _ => new("", "there is more than one document in the file; one is expected: remove what follows the line with ---", file, documents[1].Line),
        });
        return null;
    }

    private SourceNode Node(int depth)
    {
        if (depth > MaximumDepth)
        {
            Report(parser.Current!, $"values are nested deeper than {MaximumDepth} levels");
            throw new DepthExceededException();
        }

        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            Report(alias, $"the alias *{alias.Value} is not supported; write the value out, so that every value has one place");
            return new SourceScalar(file, Line(alias), "", Quoted: true);
        }

        if (parser.Current is NodeEvent node)
            RefuseAnchorsAndTags(node);
        if (parser.TryConsume<Scalar>(out var scalar))
            return new SourceScalar(file, Line(scalar), scalar.Value, scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any));
        if (parser.TryConsume<SequenceStart>(out var sequence))
        {
            var items = new List<SourceNode>();
            while (!parser.TryConsume<SequenceEnd>(out _))
                items.Add(Node(depth + 1));
            return new SourceList(file, Line(sequence), items);
        }

        return Map(depth);
    }

    private SourceMap Map(int depth)
    {
        var start = parser.Consume<MappingStart>();
        var entries = new List<SourceEntry>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(depth + 1);
            var value = Node(depth + 1);
            if (key is not SourceScalar name)
                problems.Add(new("", "a key must be plain text, not a map or a list", file, key.Line));
            else if (entries.Find(entry => entry.Key == name.Text) is { } first)
                problems.Add(new("", $"the key {name.Text} is given twice, first in line {first.Line}; keep one of them", file, key.Line));
            else
                entries.Add(new(name.Text, key.Line, value));
        }

        return new SourceMap(file, Line(start), entries);
    }

    private void RefuseAnchorsAndTags(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty)
            Report(node, $"the anchor &{node.Anchor.Value} is not supported; write the value out where it is needed");
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
            Report(node, $"the tag {node.Tag.Value} is not supported; write the plain value");
    }

    private void Report(ParsingEvent at, string message) => problems.Add(new("", message, file, Line(at)));

    private static int Line(ParsingEvent at) => (int)at.Start.Line;

    private static string Reason(YamlException malformed, string text)
    {
        var lines = text.Split('\n').Skip((int)malformed.Start.Line - 1).Take((int)(malformed.End.Line - malformed.Start.Line) + 1);
        return lines.Any(line => line.TakeWhile(char.IsWhiteSpace).Contains('\t'))
            ? "the line is indented with a tab; YAML wants spaces"
            : $"this is not YAML: {malformed.Message.TrimEnd('.')}; look at this line and the one above for indentation, quotes and colons";
    }

    private sealed class DepthExceededException : Exception;
}
