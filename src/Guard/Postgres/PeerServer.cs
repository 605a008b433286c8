using System.Globalization;

namespace PlatformOps.Guard.Postgres;

/// <summary>The other node's server, asked with the program that comes with ours: over the replication path, like its standby.</summary>
internal sealed class PeerServer(ServerTools tools, ServerSettings settings, TimeProvider clock)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <exception cref="GuardException">It does not answer.</exception>
    public Task<string> AskAsync(string query, CancellationToken ct) =>
        tools.RunAsync("psql", ["--no-psqlrc", "--tuples-only", "--no-align", "--dbname", settings.PeerConnection("postgres"), "--command", query], ct);

    /// <summary>Waits until its control file knows its timeline, which the checkpoint after a promotion writes: before, a rewind would take it for ours.</summary>
    public async Task UntilItsTimelineIsWrittenAsync(CancellationToken ct)
    {
        while ((await AskAsync("SELECT timeline_id = ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int FROM pg_control_checkpoint()", ct)).Trim() != "t")
            await Task.Delay(Look, clock, ct);
    }

    /// <summary>The timeline that it writes.</summary>
    /// <exception cref="GuardException">It does not answer.</exception>
    public async Task<int> TimelineAsync(CancellationToken ct) =>
        int.Parse(await AskAsync("SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int", ct), CultureInfo.InvariantCulture);

    /// <summary>Whether it makes its data reach the disk (<c>fsync</c>).</summary>
    /// <exception cref="GuardException">It does not answer.</exception>
    public async Task<bool> SyncsAsync(CancellationToken ct) => (await AskAsync("SHOW fsync", ct)).Trim() != "off";

    /// <summary>The history of its timeline: a line for each timeline that was left, and where. Empty for the first.</summary>
    public Task<string> HistoryAsync(CancellationToken ct) => AskAsync(
        """
        SELECT coalesce((SELECT convert_from(pg_read_binary_file('pg_wal/' || name), 'UTF8') FROM pg_ls_dir('pg_wal', false, false) AS name
          WHERE name = substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '.history'), '')
        """, ct);

    /// <summary>The files of the guards' own tables, as <c>database/file</c>: what is written into them is nobody's loss.</summary>
    public async Task<IReadOnlyList<string>> GuardsTablesAsync(CancellationToken ct) => (await AskAsync(
        "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || pg_relation_filenode(t) FROM unnest(ARRAY['platformops.marker', 'platformops.epoch']::regclass[]) t", ct))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
