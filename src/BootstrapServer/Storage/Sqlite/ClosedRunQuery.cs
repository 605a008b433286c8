using Microsoft.Data.Sqlite;

namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>
/// Reads closed runs in the order of lists. A place in that order has three parts; the rows after it are asked for part by
/// part, so that each question is one range of an index, however many runs closed in the same moment.
/// </summary>
internal static class ClosedRunQuery
{
    private const string Columns = "key, namespace, workflow, run, close, start, record";

    public static List<ClosedRun> Slice(SqliteStore store, string namespaceId, string? workflowId, ListKey? after, int most)
    {
        if (after is not { } place)
            return Read(store, namespaceId, workflowId, "", [], most);
        var found = Read(store, namespaceId, workflowId, "AND close = $4 AND start = $5 AND run > $6", [place.CloseTicks, place.StartTicks, place.RunId], most);
        if (found.Count < most)
            found.AddRange(Read(store, namespaceId, workflowId, "AND close = $4 AND start < $5", [place.CloseTicks, place.StartTicks], most - found.Count));
        if (found.Count < most)
            found.AddRange(Read(store, namespaceId, workflowId, "AND close < $4", [place.CloseTicks], most - found.Count));
        return found;
    }

    public static List<ClosedRun> Oldest(SqliteStore store, string namespaceId, DateTimeOffset closedUntil, int most) => store.Read(
        $"SELECT {Columns} FROM closed INDEXED BY closed_order WHERE namespace = $1 AND close <= $2 ORDER BY close, start, run DESC LIMIT $3",
        [namespaceId, closedUntil.UtcTicks, most],
        Make);

    private static List<ClosedRun> Read(SqliteStore store, string namespaceId, string? workflowId, string range, object[] place, int most)
    {
        var (index, ofWorkflow) = workflowId is null ? ("closed_order", "") : ("closed_of_workflow", "AND workflow = $3");
        return store.Read(
            $"SELECT {Columns} FROM closed INDEXED BY {index} WHERE namespace = $1 {ofWorkflow} {range} ORDER BY close DESC, start DESC, run LIMIT $2",
            [namespaceId, most, workflowId ?? "", .. place],
            Make);
    }

    private static ClosedRun Make(SqliteDataReader reader) => new(
        reader.GetInt64(0),
        new RunName(reader.GetString(1), reader.GetString(2), reader.GetString(3)),
        new ListKey(reader.GetInt64(4), reader.GetInt64(5), reader.GetString(3)),
        SqliteStore.Bytes(reader, 6));
}
