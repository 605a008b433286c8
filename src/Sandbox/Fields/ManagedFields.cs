using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Fields;

/// <summary>Who wrote which fields of an object last: its <c>metadata.managedFields</c>.</summary>
internal sealed class ManagedFields
{
    private readonly List<Entry> entries;

    private ManagedFields(List<Entry> entries) => this.entries = entries;

    public sealed record Entry(string Manager, string Operation, string ApiVersion, string Subresource, string Time, FieldSet Fields)
    {
        public bool IsOf(Writer writer, string operation) =>
            Manager == writer.Manager && Operation == operation && Subresource == writer.Subresource;
    }

    public IReadOnlyList<Entry> Entries => entries;

    public static ManagedFields Of(JsonObject? live) => new([.. (live?["metadata"]?["managedFields"]?.AsArray() ?? []).OfType<JsonObject>().Select(entry => new Entry(
        (string?)entry["manager"] ?? "", (string?)entry["operation"] ?? "Update", (string?)entry["apiVersion"] ?? "", (string?)entry["subresource"] ?? "",
        (string?)entry["time"] ?? "", FieldSet.FromJson(entry["fieldsV1"] as JsonObject ?? [])))]);

    /// <summary>Takes note of an update: what the writer added or changed is its own, what it removed is nobody's.</summary>
    public void Update(FieldSchema schema, JsonObject? before, JsonObject after, Writer writer, string time)
    {
        var was = before is null ? new FieldSet() : FieldsOf.Object(schema, before);
        var now = FieldsOf.Object(schema, after);
        var written = now.Except(was);
        foreach (var path in now.Intersect(was).Members())
        {
            // An element of a list is only changed in its fields, which have paths of their own.
            if (path[^1][0] == 'f' && !JsonNode.DeepEquals(FieldsOf.Value(schema, before, path), FieldsOf.Value(schema, after, path)))
                written.Add(path);
        }

        var removed = was.Except(now);
        var mine = entries.Find(entry => entry.IsOf(writer, "Update"))?.Fields ?? new FieldSet();
        Replace(entry => entry with { Fields = entry.Fields.Except(removed).Except(entry.IsOf(writer, "Update") ? new() : written) });
        if (!written.IsEmpty)
            Set(writer, "Update", mine.Except(removed).Union(written), time);
    }

    /// <summary>Takes note of a server-side apply: exactly these fields are the writer's.</summary>
    public void Apply(FieldSet fields, FieldSet taken, Writer writer, string time)
    {
        Replace(entry => entry.IsOf(writer, "Apply") ? entry : entry with { Fields = entry.Fields.Except(taken) });
        var before = entries.Find(entry => entry.IsOf(writer, "Apply"));
        if (before is null || !before.Fields.SameAs(fields))
            Set(writer, "Apply", fields, time);
    }

    public void WriteTo(JsonObject value)
    {
        var metadata = value.Child("metadata");
        metadata.Remove("managedFields");
        var written = entries.Where(entry => !entry.Fields.IsEmpty)
            .OrderBy(entry => entry.Operation, StringComparer.Ordinal).ThenBy(entry => entry.Time, StringComparer.Ordinal).ThenBy(entry => entry.Manager, StringComparer.Ordinal);
        var json = new JsonArray([.. written.Select(ToJson)]);
        if (json.Count > 0)
            metadata["managedFields"] = json;
    }

    private static JsonObject ToJson(Entry entry)
    {
        var json = new JsonObject
        {
            ["manager"] = entry.Manager,
            ["operation"] = entry.Operation,
            ["apiVersion"] = entry.ApiVersion,
            ["time"] = entry.Time,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = entry.Fields.ToJson(),
        };
        if (entry.Subresource.Length > 0)
            json["subresource"] = entry.Subresource;
        return json;
    }

    private void Replace(Func<Entry, Entry> change)
    {
        for (var index = 0; index < entries.Count; index++)
            entries[index] = change(entries[index]);
    }

    private void Set(Writer writer, string operation, FieldSet fields, string time)
    {
        entries.RemoveAll(entry => entry.IsOf(writer, operation));
        entries.Add(new(writer.Manager, operation, writer.ApiVersion, writer.Subresource, time, fields));
    }
}

/// <summary>Who writes, and through which path.</summary>
/// <param name="Subresource">For example <c>status</c>; empty for the object itself.</param>
internal sealed record Writer(string Manager, string ApiVersion, string Subresource = "");
