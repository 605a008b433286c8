using PlatformOps.Platform.Specification;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PlatformOps.Platform.Yaml;

/// <summary>Turns YAML text into nodes with positions. What is malformed becomes a problem, never an exception.</summary>
internal static class SourceReader
{
    public static IReadOnlyList<SourceNode> ReadAll(string file, string text, ICollection<Problem> problems)
    {
        var stream = new YamlStream();
        try
        {
            using var reader = new StringReader(text);
            stream.Load(reader);
        }
        catch (YamlException malformed)
        {
            problems.Add(new("", $"the YAML is malformed: {Reason(malformed)}", file, (int)malformed.Start.Line));
            return [];
        }

        return [.. stream.Documents.Select(document => Convert(file, document.RootNode, problems))];
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
        problems.Add(new("", documents.Count switch
        {
            0 => "the file is empty; a map of keys is expected",
            1 => "a map of keys is expected",
            _ => "one document is expected; remove the lines with ---",
        }, file, documents.Count > 1 ? documents[1].Line : 1));
        return null;
    }

    private static SourceNode Convert(string file, YamlNode node, ICollection<Problem> problems)
    {
        var line = (int)node.Start.Line;
        switch (node)
        {
            case YamlScalarNode scalar:
                return new SourceScalar(file, line, scalar.Value ?? "", scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any));
            case YamlSequenceNode sequence:
                return new SourceList(file, line, [.. sequence.Children.Select(child => Convert(file, child, problems))]);
            case YamlMappingNode mapping:
                var entries = new List<SourceEntry>();
                foreach (var (key, value) in mapping.Children)
                {
                    if (key is YamlScalarNode { Value: { } name })
                        entries.Add(new(name, (int)key.Start.Line, Convert(file, value, problems)));
                    else
                        problems.Add(new("", "a key must be plain text", file, (int)key.Start.Line));
                }

                return new SourceMap(file, line, entries);
            default:
                problems.Add(new("", $"a {node.NodeType} is not supported here", file, line));
                return new SourceScalar(file, line, "", true);
        }
    }

    private static string Reason(YamlException malformed) =>
        malformed.InnerException?.Message ?? malformed.Message;
}
