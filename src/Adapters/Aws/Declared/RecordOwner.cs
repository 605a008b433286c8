using PlatformOps.Adapters.Aws.Dns;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>Whose a DNS record is. Records have no tags, so that a TXT record beside it says it, in the manner of external-dns. Both are written in one
/// change, of which Route 53 carries out everything or nothing.</summary>
internal static class RecordOwner
{
    private const string Heritage = "heritage=platformops", Prefix = "_platformops-";

    /// <summary>A text of a TXT record has at most 255 characters; a record has several.</summary>
    private const int LongestText = 255;

    private static readonly TimeSpan TimeToLive = TimeSpan.FromMinutes(5);

    public static DnsRecord Companion(DnsRecord of, IReadOnlyDictionary<string, string> marks) => new()
    {
        Name = NameFor(of),
        Type = "TXT",
        TimeToLive = TimeToLive,
        Values = [Quoted(string.Join(',', marks.OrderBy(mark => mark.Key, StringComparer.Ordinal).Select(mark => $"{Escaped(mark.Key)}={Escaped(mark.Value)}").Prepend(Heritage)))],
    };

    /// <summary>The name of the TXT record beside a record: of its own for each type and set, and legal where the record's begins with a star.</summary>
    public static string NameFor(DnsRecord record)
    {
        var name = record.Name.StartsWith("*.", StringComparison.Ordinal) ? $"any.{record.Name[2..]}" : record.Name;
        return $"{Prefix}{record.Type.ToLowerInvariant()}{(record.Set is null ? "" : $"-{record.Set}")}.{name}";
    }

    /// <summary>What a TXT record says; null: it is no such record.</summary>
    public static Dictionary<string, string>? Read(DnsRecord record)
    {
        if (record is not { Type: "TXT", Values: [var value] } || !record.Name.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var parts = value.Replace("\" \"", "", StringComparison.Ordinal).Trim('"').Split(',');
        return parts[0] != Heritage ? null
            : parts.Skip(1).Select(part => part.Split('=', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => Uri.UnescapeDataString(pair[0]), pair => Uri.UnescapeDataString(pair[1]));
    }

    private static string Escaped(string text) => Uri.EscapeDataString(text).Replace("%2F", "/", StringComparison.Ordinal);

    private static string Quoted(string text) => string.Join(' ', text.Chunk(LongestText).Select(part => $"\"{new string(part)}\""));
}
