using System.Text.Json;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Guard.Backups;

/// <summary>Looks into a Temporal's databases in a copy, in their tables: a server that is started on them would go on with timers and schedules, and would need a way out of the quarantine. Tables that others call so too are
/// told by all of them being there.</summary>
internal static class TemporalCopy
{
    /// <summary>Of each database: so many open and so many closed executions are read whole.</summary>
    private const int Sampled = 20;

    /// <summary>So many listed ones are looked for in the database, and so many open ones among those that are listed.</summary>
    private const int Compared = 2000;

    /// <summary>Rows of a history at a time.</summary>
    private const int PageSize = 100;

    private const string Kind = """
        SELECT CASE WHEN to_regclass('current_executions') IS NOT NULL AND to_regclass('executions') IS NOT NULL AND to_regclass('history_node') IS NOT NULL AND to_regclass('visibility_tasks') IS NOT NULL THEN 'persistence'
          WHEN to_regclass('executions_visibility') IS NOT NULL THEN 'visibility' END
        """;

    private const string Tally = "SELECT json_build_object('executions', count(*), 'open', count(*) FILTER (WHERE state IN (1, 2)))::text FROM current_executions";

    /// <summary>Those that were written last, as their place in the table says: not every version has their times.</summary>
    private const string Newest = """
        SELECT coalesce(json_agg(t), '[]')::text FROM (
          SELECT e.shard_id AS shard, encode(e.run_id, 'hex') AS run, e.workflow_id AS workflow, coalesce(n.name, encode(e.namespace_id, 'hex')) AS namespace, c.state IN (1, 2) AS open,
            e.next_event_id AS next, encode(e.data, 'base64') AS data, e.data_encoding AS encoding
          FROM (
            (SELECT * FROM current_executions WHERE state IN (1, 2) ORDER BY ctid DESC LIMIT $1) UNION ALL (SELECT * FROM current_executions WHERE state = 3 ORDER BY ctid DESC LIMIT $1)) c
          JOIN executions e USING (shard_id, namespace_id, workflow_id, run_id) LEFT JOIN namespaces n ON n.id = e.namespace_id) t
        """;

    /// <summary>Executions of which there is only that there should be one.</summary>
    private const string Bare = """
        SELECT coalesce(array_agg(workflow_id::text), '{}') FROM (
          SELECT c.workflow_id FROM current_executions c WHERE NOT EXISTS (
            SELECT FROM executions e WHERE (e.shard_id, e.namespace_id, e.workflow_id, e.run_id) = (c.shard_id, c.namespace_id, c.workflow_id, c.run_id)) LIMIT 20) t
        """;

    /// <summary>Of a node that was written twice the one with the higher transaction counts; one with a lower transaction than what came before it was given up.</summary>
    private const string Nodes = """
        SELECT coalesce(json_agg(t), '[]')::text FROM (
          SELECT DISTINCT ON (node_id) node_id AS first, txn_id AS transaction, encode(data, 'base64') AS data, data_encoding AS encoding
          FROM history_node WHERE shard_id = $1 AND tree_id = $2 AND branch_id = $3 AND node_id >= $4 AND node_id < $5 ORDER BY node_id, txn_id DESC LIMIT $6) t
        """;

    private const string Listed = """
        SELECT coalesce(json_agg(t), '[]')::text FROM (
          SELECT replace(trim(run_id::text), '-', '') AS run, workflow_id AS workflow, status = 1 AS open FROM executions_visibility ORDER BY start_time DESC LIMIT $1) t
        """;

    private const string States = "SELECT coalesce(json_object_agg(encode(run_id, 'hex'), encode(state, 'base64')), '{}')::text FROM executions WHERE run_id = ANY ($1)";

    private const string OpenOnes = """
        SELECT coalesce(json_agg(t), '[]')::text FROM (
          SELECT encode(run_id, 'hex') AS run, workflow_id AS workflow, true AS open FROM current_executions WHERE state IN (1, 2) ORDER BY ctid DESC LIMIT $1) t
        """;

    private const string AreListed = "SELECT coalesce(array_agg(replace(trim(run_id::text), '-', '')), '{}') FROM executions_visibility WHERE run_id = ANY ($1)";

    private const string Pending = "SELECT count(*) FROM visibility_tasks";

    /// <summary>For one statement, of a copy that nobody else waits for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    /// <summary>What there is of Temporal; nothing: no database is one of Temporal's.</summary>
    /// <param name="server">The copy's process.</param>
    public static async Task<IReadOnlyList<TemporalCopyTally>> LookAsync(GuardConfiguration copy, Func<int> server, CancellationToken ct)
    {
        var kinds = new Dictionary<string, string>();
        foreach (var database in await TableCounts.DatabasesAsync(copy, server, ct))
        {
            await using var sql = new ServerSql(copy, server, database);
            if (await sql.RunAsync(Kind, Patience, ct) is string kind)
                kinds[database] = kind;
        }

        var found = new List<TemporalCopyTally>();
        var listings = kinds.Where(known => known.Value == "visibility").Select(known => known.Key).ToList();
        foreach (var database in kinds.Where(known => known.Value == "persistence").Select(known => known.Key))
        {
            await using var sql = new ServerSql(copy, server, database);
            // The names of the two are free: of several that one is meant whose name begins with the other's.
            var visibility = listings is [var only] ? only : listings.Find(name => name.StartsWith(database, StringComparison.Ordinal));
            found.Add(await LookAsync(sql, database, visibility, name => new ServerSql(copy, server, name), ct));
        }

        return found;
    }

    private static async Task<TemporalCopyTally> LookAsync(ServerSql sql, string database, string? visibility, Func<string, ServerSql> open, CancellationToken ct)
    {
        var counted = Read<Counted>(await sql.RunAsync(Tally, Patience, ct));
        var (sampled, unreadable) = (new List<RestoredExecution>(), 0);
        foreach (var kept in Read<List<Kept>>(await sql.RunAsync(Newest, Patience, ct, Sampled)))
        {
            if (await ReadAsync(sql, kept, ct) is { } execution)
                sampled.Add(execution);
            else
                unreadable++;
        }

        var bare = (string[])(await sql.RunAsync(Bare, Patience, ct))!;
        if (visibility is null)
            return new(database, null, counted.Executions, counted.Open, sampled, bare, unreadable, null);
        await using var listing = open(visibility);
        return new(database, visibility, counted.Executions, counted.Open, sampled, bare, unreadable, await CompareAsync(sql, listing, ct));
    }

    /// <returns>Null: it cannot be read.</returns>
    private static async Task<RestoredExecution?> ReadAsync(ServerSql sql, Kept kept, CancellationToken ct)
    {
        if (kept.Encoding != PersistedExecutions.Encoding)
            return null;
        var (read, unbroken, ends, queue) = (0L, true, false, "");
        try
        {
            (var branch, queue) = PersistedExecutions.Read(Convert.FromBase64String(kept.Data));
            if (branch is null)
                return null;
            var last = 0L;
            foreach (var (id, begin, end) in branch.Ranges)
            {
                var from = begin;
                while (Read<List<Node>>(await sql.RunAsync(
                    Nodes, Patience, ct, kept.Shard, Bytes(branch.Tree), Bytes(id), from, Math.Min(end, kept.Next), PageSize)) is { Count: > 0 } nodes)
                {
                    foreach (var node in nodes.Where(node => node.Transaction >= last))
                    {
                        if (node.Encoding != PersistedExecutions.Encoding)
                            return null;
                        var (ids, begins, ended) = PersistedExecutions.Events(Convert.FromBase64String(node.Data));
                        unbroken &= (read > 0 || begins) && ids.Select((number, index) => number == read + index + 1).All(follows => follows);
                        (read, ends, last) = (read + ids.Count, ended, node.Transaction);
                    }

                    from = nodes[^1].First + 1;
                }
            }
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Damaged)
        {
            unbroken = false;
        }

        return new(kept.Namespace, kept.Workflow, kept.Run, kept.Open, read, unbroken && read > 0, ends, new(kept.Open, kept.Next - 1), queue);
    }

    private static async Task<TemporalListing> CompareAsync(ServerSql sql, ServerSql listing, CancellationToken ct)
    {
        var listed = Read<List<Row>>(await listing.RunAsync(Listed, Patience, ct, Compared));
        var states = Read<Dictionary<string, string>>(await sql.RunAsync(States, Patience, ct, (object)listed.Select(row => Convert.FromHexString(row.Run)).ToArray()));
        var openOnes = Read<List<Row>>(await sql.RunAsync(OpenOnes, Patience, ct, Compared));
        var there = ((string[])(await listing.RunAsync(AreListed, Patience, ct, (object)openOnes.Select(row => $"{Guid.ParseExact(row.Run, "N")}").ToArray()))!).ToHashSet();
        var lost = listed.Where(row => !states.ContainsKey(row.Run)).ToList();
        var ahead = listed.Where(row => !row.Open && IsOpen(row) == true).ToList();
        var behind = listed.Where(row => row.Open && IsOpen(row) == false).ToList();
        var unlisted = openOnes.Where(row => !there.Contains(row.Run)).ToList();
        return new(
            listed.Count, lost.Count, ahead.Count, behind.Count, unlisted.Count, (long)(await sql.RunAsync(Pending, Patience, ct))!,
            [.. lost.Concat(ahead).Concat(behind).Concat(unlisted).Select(row => row.Workflow).Distinct().Take(20)]);

        bool? IsOpen(Row row) => states.TryGetValue(row.Run, out var state) ? PersistedExecutions.IsOpen(Convert.FromBase64String(state)) : null;
    }

    private static byte[] Bytes(string id) => Guid.TryParse(id, out var known) ? known.ToByteArray(bigEndian: true) : [];

    private static T Read<T>(object? answer) => JsonSerializer.Deserialize<T>((string)answer!, GuardWire.Json)!;

    private sealed record Counted(long Executions, long Open);

    /// <param name="Next">The number of its next event.</param>
    private sealed record Kept(int Shard, string Run, string Workflow, string Namespace, bool Open, long Next, string Data, string Encoding);

    /// <param name="First">The number of its first event.</param>
    private sealed record Node(long First, long Transaction, string Data, string Encoding);

    private sealed record Row(string Run, string Workflow, bool Open);
}
