using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Fields;

/// <summary>A set of fields of an object, as a tree whose branches are named as in <c>fieldsV1</c>: <c>f:name</c> (field), <c>k:{...}</c> (element
/// by its keys), <c>v:...</c> (element by its value).</summary>
internal sealed class FieldSet
{
    private readonly SortedDictionary<string, FieldSet> children = new(StringComparer.Ordinal);

    /// <summary>Whether the field at this place is in the set, and not only fields below it.</summary>
    public bool Member { get; set; }

    public IReadOnlyDictionary<string, FieldSet> Children => children;

    public bool IsEmpty => !Member && children.Values.All(child => child.IsEmpty);

    public FieldSet At(string name)
    {
        if (!children.TryGetValue(name, out var child))
            children[name] = child = new();
        return child;
    }

    public FieldSet? Find(IReadOnlyList<string> path)
    {
        var place = this;
        foreach (var name in path)
        {
            if (!place.children.TryGetValue(name, out var child))
                return null;
            place = child;
        }

        return place;
    }

    public void Add(IReadOnlyList<string> path)
    {
        var place = this;
        foreach (var name in path)
            place = place.At(name);
        place.Member = true;
    }

    /// <summary>The paths of all members, parents first.</summary>
    public IEnumerable<IReadOnlyList<string>> Members() => Members([]);

    public FieldSet Union(FieldSet other) => Combine(other, (mine, theirs) => mine || theirs);

    public FieldSet Except(FieldSet other) => Combine(other, (mine, theirs) => mine && !theirs);

    public FieldSet Intersect(FieldSet other) => Combine(other, (mine, theirs) => mine && theirs);

    public bool SameAs(FieldSet other) => Except(other).IsEmpty && other.Except(this).IsEmpty;

    public JsonObject ToJson()
    {
        var json = new JsonObject();
        foreach (var (name, child) in children.Where(pair => !pair.Value.IsEmpty))
        {
            var value = child.ToJson();
            if (child.Member && value.Count > 0)
                value.Insert(0, ".", new JsonObject());
            json[name] = value;
        }

        return json;
    }

    public static FieldSet FromJson(JsonObject json)
    {
        var set = new FieldSet();
        foreach (var (name, value) in json)
        {
            if (name == ".")
            {
                set.Member = true;
                continue;
            }

            var child = FromJson(value!.AsObject());
            child.Member |= value.AsObject().Count == 0;
            set.children[name] = child;
        }

        return set;
    }

    /// <summary>For people, as in conflicts: <c>.spec.containers[name="web"].image</c>.</summary>
    public static string InWords(IReadOnlyList<string> path) => string.Concat(path.Select(name => name[..2] switch
    {
        "f:" => $".{name[2..]}",
        "k:" => $"[{string.Join(",", JsonNode.Parse(name[2..])!.AsObject().Select(key => $"{key.Key}={key.Value!.ToJsonString()}"))}]",
        _ => $"[={name[2..]}]",
    }));

    private IEnumerable<IReadOnlyList<string>> Members(IReadOnlyList<string> path)
    {
        if (Member)
            yield return path;
        foreach (var (name, child) in children)
        {
            foreach (var member in child.Members([.. path, name]))
                yield return member;
        }
    }

    private FieldSet Combine(FieldSet other, Func<bool, bool, bool> keep)
    {
        var result = new FieldSet { Member = keep(Member, other.Member) };
        foreach (var name in children.Keys.Union(other.children.Keys))
        {
            var child = (children.GetValueOrDefault(name) ?? Empty).Combine(other.children.GetValueOrDefault(name) ?? Empty, keep);
            if (!child.IsEmpty)
                result.children[name] = child;
        }

        return result;
    }

    private static readonly FieldSet Empty = new();
}
