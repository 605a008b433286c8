using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Cloudflare;

/// <summary>Whose a record is. A record's comment is too short to say it and its tags are not in every plan, so that a TXT record beside it says it, in the manner of external-dns.
/// Both are written in one batch, of which Cloudflare carries out everything or nothing.</summary>
internal static class RecordMarks
{
    public const string NameMark = "platformops.io/name";

    private const string Heritage = "heritage=platformops", Prefix = "_platformops-";

    /// <summary>A text of a TXT record has at most 255 characters; a record has several.</summary>
    private const int LongestText = 255;

    /// <summary>The marks of a declared object: its labels and annotations, and its name.</summary>
    public static Dictionary<string, string> Of(DesiredObject wanted) => Part(wanted, "labels").Concat(Part(wanted, "annotations"))
        .ToDictionary(pair => pair.Key, pair => (string?)pair.Value ?? "").With(NameMark, wanted.Address.Name);

    /// <summary>The TXT record beside a record.</summary>
    public static CloudflareRecord Companion(CloudflareRecord of, IReadOnlyDictionary<string, string> marks)
    {
        var text = string.Join(',', marks.OrderBy(mark => mark.Key, StringComparer.Ordinal).Select(mark => $"{Escaped(mark.Key)}={Escaped(mark.Value)}").Prepend(Heritage));
        return new(of.Zone, NameFor(of), "TXT", string.Join(' ', text.Chunk(LongestText).Select(part => $"\"{new string(part)}\"")));
    }

    /// <summary>Of its own for each type, and legal where the record's name begins with a star.</summary>
    public static string NameFor(CloudflareRecord record)
    {
        var name = record.Name.StartsWith("*.", StringComparison.Ordinal) ? $"any.{record.Name[2..]}" : record.Name;
        return $"{Prefix}{record.Type.ToLowerInvariant()}.{name}";
    }

    /// <summary>What a TXT record says; null: it is no such record.</summary>
    public static Dictionary<string, string>? Read(CloudflareRecord record)
    {
        if (record.Type != "TXT" || !record.Name.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var parts = record.Content.Replace("\" \"", "", StringComparison.Ordinal).Trim('"').Split(',');
        return parts[0] != Heritage ? null
            : parts.Skip(1).Select(part => part.Split('=', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => Uri.UnescapeDataString(pair[0]), pair => Uri.UnescapeDataString(pair[1]));
    }

    /// <summary>The metadata of the object that carries these marks. Fields beyond the usual are ours: one that is no longer declared is to go.</summary>
    public static JsonObject Metadata(string name, string? uid, IReadOnlyDictionary<string, string> marks, JsonObject spec)
    {
        var shown = marks.Where(mark => mark.Key != NameMark).ToList();
        var metadata = new JsonObject
        {
            ["name"] = name,
            ["uid"] = uid,
            ["labels"] = Map(shown.Where(mark => !IsAnnotation(mark.Key))),
            ["annotations"] = Map(shown.Where(mark => IsAnnotation(mark.Key))),
        };
        if (marks.GetValueOrDefault(Ownership.ManagedByLabel) != Ownership.ManagedBy)
            return metadata;
        var set = new JsonObject();
        if ((bool?)spec["proxied"] == true)
            set["f:proxied"] = new JsonObject();
        if ((int?)spec["ttl"] > 1)
            set["f:ttl"] = new JsonObject();
        metadata["managedFields"] = new JsonArray(new JsonObject { ["manager"] = Ownership.FieldManager, ["fieldsV1"] = new JsonObject { ["f:spec"] = set } });
        return metadata;
    }

    private static Dictionary<string, string> With(this Dictionary<string, string> marks, string name, string value)
    {
        marks[name] = value;
        return marks;
    }

    private static JsonObject Part(DesiredObject wanted, string name) => wanted.Manifest["metadata"]?[name] as JsonObject ?? [];

    private static bool IsAnnotation(string key) =>
        key is Ownership.OperationIdAnnotation or Ownership.CreatedByAnnotation || key.StartsWith(Ownership.ImmutablePrefix, StringComparison.Ordinal);

    private static JsonObject Map(IEnumerable<KeyValuePair<string, string>> pairs) => new(pairs.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));

    private static string Escaped(string text) => Uri.EscapeDataString(text).Replace("%2F", "/", StringComparison.Ordinal);
}
