using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Ids of requests that a run acted on, so that a client's retry of a call that was lost does nothing again.</summary>
internal sealed class RequestIds(RowSet rows)
{
    private static readonly byte[] Mark = "{}"u8.ToArray();
    private HashSet<string>? seen;

    public bool Seen(string requestId) => requestId.Length > 0 && seen?.Contains(requestId) == true;

    /// <summary>Remembers the id; false when it was known already.</summary>
    public bool Add(string requestId)
    {
        if (requestId.Length == 0)
            return true;
        if (!(seen ??= []).Add(requestId))
            return false;
        rows.Put(RowKind.RequestId, requestId, () => Mark);
        return true;
    }

    public void Restore(string requestId) => (seen ??= []).Add(requestId);
}
