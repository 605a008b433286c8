using System.Collections.Immutable;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>The objects of one kind at one moment, by namespace and name and by the owner that manages them. Immutable: readers take no lock.</summary>
internal sealed class ObjectIndex
{
    public static readonly ObjectIndex Empty = new(
        ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>>.Empty,
        ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>>.Empty);

    private static readonly ImmutableSortedDictionary<string, ClusterObject> None =
        ImmutableSortedDictionary.Create<string, ClusterObject>(StringComparer.Ordinal);
    private readonly ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>> _spaces;
    private readonly ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>> _managed;

    private ObjectIndex(
        ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>> spaces,
        ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>> managed) => (_spaces, _managed) = (spaces, managed);

    public IEnumerable<ClusterObject> All => _spaces.Values.SelectMany(space => space.Values);

    public IEnumerable<ClusterObject> In(string space) => _spaces.GetValueOrDefault(space, None).Values;

    public IEnumerable<ClusterObject> ManagedBy(string uid) => _managed.GetValueOrDefault(uid, None).Values;

    public ClusterObject? Find(ObjectKey key) => _spaces.GetValueOrDefault(key.Namespace, None).GetValueOrDefault(key.Name);

    public ObjectIndex With(ClusterObject item)
    {
        var managed = Find(item.Key) is { Controller: { } before } ? Minus(_managed, before.Uid, item.Name) : _managed;
        return new(Plus(_spaces, item.Namespace, item), item.Controller is { } controller ? Plus(managed, controller.Uid, item) : managed);
    }

    public ObjectIndex Without(ClusterObject item) => new(
        Minus(_spaces, item.Namespace, item.Name),
        item.Controller is { } controller ? Minus(_managed, controller.Uid, item.Name) : _managed);

    private static ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>> Plus(
        ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>> groups, string group, ClusterObject item) =>
        groups.SetItem(group, groups.GetValueOrDefault(group, None).SetItem(item.Name, item));

    private static ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>> Minus(
        ImmutableDictionary<string, ImmutableSortedDictionary<string, ClusterObject>> groups, string group, string name)
    {
        var rest = groups.GetValueOrDefault(group, None).Remove(name);
        return rest.IsEmpty ? groups.Remove(group) : groups.SetItem(group, rest);
    }
}
