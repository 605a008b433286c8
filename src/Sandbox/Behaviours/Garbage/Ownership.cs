using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Garbage;

/// <summary>Who owns whom, by uid, over all kinds. Thread-safe.</summary>
internal sealed class Ownership
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ClusterObject> _objects = [];
    private readonly Dictionary<string, SortedSet<string>> _dependents = [];

    public void Take(ObjectChange change)
    {
        lock (_lock)
        {
            foreach (var owner in change.Before?.Owners ?? [])
                if (_dependents.TryGetValue(owner.Uid, out var dependents) && dependents.Remove(change.Before!.Uid) && dependents.Count == 0)
                    _dependents.Remove(owner.Uid);
            if (change.After is null)
            {
                _objects.Remove(change.Before!.Uid);
                return;
            }
            _objects[change.After.Uid] = change.After;
            foreach (var owner in change.After.Owners)
            {
                if (!_dependents.TryGetValue(owner.Uid, out var dependents))
                    _dependents[owner.Uid] = dependents = new(StringComparer.Ordinal);
                dependents.Add(change.After.Uid);
            }
        }
    }

    public ClusterObject? Find(string uid)
    {
        lock (_lock)
            return _objects.GetValueOrDefault(uid);
    }

    public List<ClusterObject> DependentsOf(string uid)
    {
        lock (_lock)
            return [.. _dependents.GetValueOrDefault(uid, []).Select(dependent => _objects.GetValueOrDefault(dependent)).OfType<ClusterObject>()];
    }
}
