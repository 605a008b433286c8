namespace PlatformOps.Platform.Yaml;

/// <summary>A node of a YAML document that remembers which file and line it came from, also after overlays have been merged.</summary>
internal abstract record SourceNode(string File, int Line);

internal sealed record SourceScalar(string File, int Line, string Text, bool Quoted) : SourceNode(File, Line);

internal sealed record SourceList(string File, int Line, IReadOnlyList<SourceNode> Items) : SourceNode(File, Line);

internal sealed record SourceMap(string File, int Line, IReadOnlyList<SourceEntry> Entries) : SourceNode(File, Line)
{
    public SourceNode? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key)?.Value;

    /// <summary>Lays another map over this one: maps merge key by key, everything else replaces.</summary>
    public SourceMap Overlay(SourceMap over)
    {
        var merged = Entries
            .Select(entry => over.Entries.FirstOrDefault(candidate => candidate.Key == entry.Key) is { } replacement
                ? replacement with { Value = Overlay(entry.Value, replacement.Value) }
                : entry)
            .Concat(over.Entries.Where(entry => Find(entry.Key) is null));
        return over with { Entries = [.. merged] };
    }

    private static SourceNode Overlay(SourceNode under, SourceNode over) =>
        under is SourceMap map && over is SourceMap overMap ? map.Overlay(overMap) : over;
}

internal sealed record SourceEntry(string Key, int Line, SourceNode Value);
