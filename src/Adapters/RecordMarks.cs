using System.Diagnostics.CodeAnalysis;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters;

/// <summary>Whose a DNS record is, whoever keeps it. Records have no tags, or not in every plan, and comments that are too short: so a TXT record beside it says it, in
/// the manner of external-dns. Both are written in one change, of which everything or nothing is carried out.</summary>
internal static class RecordMarks
{
    /// <summary>The mark with the name of the declared object.</summary>
    public const string Name = "platformops.io/name";

    private const string Heritage = "heritage=platformops", Prefix = "_platformops-";

    /// <summary>A text of a TXT record has at most 255 characters; a record has several.</summary>
    private const int LongestText = 255;

    /// <summary>The marks of a declared object: its labels and annotations, and its name.</summary>
    public static Dictionary<string, string> Of(DesiredObject wanted) => new(ObjectMarks.Of(wanted.Manifest)) { [Name] = wanted.Address.Name };

    /// <summary>The name of the TXT record beside a record: of its own for each type and set, and legal where the record's begins with a star.</summary>
    /// <param name="set">Names it among those of the same name and type; null: it is the only one.</param>
    public static string NameFor(string type, string name, string? set = null) =>
        $"{Prefix}{type.ToLowerInvariant()}{(set is null ? "" : $"-{set}")}.{(name.StartsWith("*.", StringComparison.Ordinal) ? $"any.{name[2..]}" : name)}";

    /// <summary>What the TXT record says.</summary>
    public static string Text(IReadOnlyDictionary<string, string> marks)
    {
        var text = string.Join(',', marks.OrderBy(mark => mark.Key, StringComparer.Ordinal).Select(mark => $"{Escaped(mark.Key)}={Escaped(mark.Value)}").Prepend(Heritage));
        return string.Join(' ', text.Chunk(LongestText).Select(part => $"\"{new string(part)}\""));
    }

    /// <summary>Reads the marks out of a record; false: it is no such record.</summary>
    public static bool TryRead(string type, string name, string content, [NotNullWhen(true)] out Dictionary<string, string>? marks)
    {
        var parts = content.Replace("\" \"", "", StringComparison.Ordinal).Trim('"').Split(',');
        marks = type != "TXT" || !name.StartsWith(Prefix, StringComparison.Ordinal) || parts[0] != Heritage ? null
            : parts.Skip(1).Select(part => part.Split('=', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => Uri.UnescapeDataString(pair[0]), pair => Uri.UnescapeDataString(pair[1]));
        return marks is not null;
    }

    private static string Escaped(string text) => Uri.EscapeDataString(text).Replace("%2F", "/", StringComparison.Ordinal);
}
