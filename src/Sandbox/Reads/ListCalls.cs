using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Kinds;
using PlatformOps.Sandbox.Storage;

namespace PlatformOps.Sandbox.Reads;

/// <summary>What a list or watch asks for.</summary>
/// <param name="Namespace">Null: all.</param>
internal sealed record Selection(ResourceKind Kind, string? Namespace, LabelSelector Labels, FieldSelector Fields)
{
    public bool Includes(StoredObject item) =>
        (Namespace is null || item.Key.Namespace == Namespace) && Labels.Matches(item.Value["metadata"]?["labels"] as JsonObject) && Fields.Matches(item.Value);

    public static Selection From(ResourceKind kind, string? space, string? name, IReadOnlyDictionary<string, string> query)
    {
        var fields = query.GetValueOrDefault("fieldSelector");
        if (name is not null)
            fields = string.IsNullOrEmpty(fields) ? $"metadata.name={name}" : $"{fields},metadata.name={name}";
        return new(kind, space, LabelSelector.Parse(query.GetValueOrDefault("labelSelector")), FieldSelector.Parse(kind, fields));
    }
}

/// <summary>One page of a list.</summary>
/// <param name="Continue">What gets the next page; empty after the last.</param>
internal sealed record ListPage(IReadOnlyList<StoredObject> Objects, long Version, string Continue, long Remaining);

/// <summary>Lists objects, whole or in pages.</summary>
internal sealed class ListCalls(ObjectStore store)
{
    /// <exception cref="ApiFailure">400: the continue token is not one; 410: what it continues is not kept any more.</exception>
    public ListPage List(Selection selection, IReadOnlyDictionary<string, string> query)
    {
        var limit = query.TryGetValue("limit", out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given > 0 ? given : int.MaxValue;
        var (all, version) = store.List(selection.Kind.StorageKey, selection.Namespace);
        var after = Token.Parse(query.GetValueOrDefault("continue"));
        if (after is not null)
            version = after.Version;
        var found = all.Where(item => (after is null || after.IsBefore(item.Key)) && selection.Includes(item)).ToList();
        var page = found.Take(limit).ToList();
        var remaining = found.Count - page.Count;
        return new(page, version, remaining > 0 ? new Token(version, page[^1].Key.Namespace, page[^1].Key.Name).ToString() : "", remaining);
    }

    private sealed record Token(long Version, string Namespace, string Name)
    {
        public bool IsBefore(ObjectKey key) =>
            string.CompareOrdinal(Namespace, key.Namespace) is var order && (order < 0 || (order == 0 && string.CompareOrdinal(Name, key.Name) < 0));

        public override string ToString() => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Version}\n{Namespace}\n{Name}"));

        public static Token? Parse(string? text)
        {
            if (string.IsNullOrEmpty(text))
                return null;
            try
            {
                var parts = Encoding.UTF8.GetString(Convert.FromBase64String(text)).Split('\n');
                return new(long.Parse(parts[0], CultureInfo.InvariantCulture), parts[1], parts[2]);
            }
            catch (Exception failure) when (failure is FormatException or IndexOutOfRangeException)
            {
                throw ApiFailure.BadRequest($"continue key is not valid: {failure.Message}");
            }
        }
    }
}
