namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>
/// The uids of the objects that went last. A late answer or an event from before the removal must not bring them back. Bounded: such
/// stragglers come within moments.
/// </summary>
internal sealed class RecentlyGone
{
    private const int Kept = 4096;
    private readonly HashSet<string> _uids = [];
    private readonly Queue<string> _order = [];

    public bool Contains(string uid) => _uids.Contains(uid);

    public void Add(string uid)
    {
        if (!_uids.Add(uid))
            return;
        _order.Enqueue(uid);
        if (_order.Count > Kept)
            _uids.Remove(_order.Dequeue());
    }
}
