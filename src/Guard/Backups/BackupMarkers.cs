using Microsoft.Extensions.Logging;

namespace PlatformOps.Guard.Backups;

/// <summary>Writes a row every few seconds while the node serves, by which restores are measured, and sees how old the newest archived piece of the log is.</summary>
internal sealed class BackupMarkers(GuardParts parts)
{
    /// <summary>The ids of markers in a time.</summary>
    public const string Between = "SELECT array_agg(id) FROM platformops.backup_marker WHERE at > $1 AND at <= $2";

    public const string After = "SELECT count(*) FROM platformops.backup_marker WHERE at > $1";

    public const string Newest = "SELECT max(at) FROM platformops.backup_marker";

    private const string Table = "CREATE TABLE IF NOT EXISTS platformops.backup_marker (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())";

    /// <summary>Markers are kept for longer than they are compared.</summary>
    private const string Mark = "WITH old AS (DELETE FROM platformops.backup_marker WHERE at < now() - interval '3 days') INSERT INTO platformops.backup_marker DEFAULT VALUES";

    private const string Archived = "SELECT last_archived_time FROM pg_stat_archiver";

    private const string Failing = "SELECT last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>After a failure of pgBackRest.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(30);

    /// <summary>When the newest piece of the log was archived; null: not known, or the node does not serve.</summary>
    public DateTimeOffset? ArchivedAt { get; private set; }

    public async Task RunAsync(CancellationToken ct)
    {
        var tool = new PgBackRest(parts.Configuration, parts.User, parts.Tools);
        var (ready, failed) = (false, (Message: (string?)null, At: 0L));
        // Asked each time that something failed, but not all the time.
        bool Due() => failed.Message is null || parts.Clock.GetElapsedTime(failed.At) > Again;
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(parts.Configuration.Backup!.MarkerSeconds), parts.Clock, ct).ContinueWith(_ => { }, TaskScheduler.Default);
            if (!parts.Gate.IsOpen)
            {
                ArchivedAt = null;
                continue;
            }

            try
            {
                if (!ready && Due())
                {
                    await parts.SlowSql.RunAsync(Table, Patience, ct);
                    await tool.EnsureStanzaAsync(ct);
                    ready = true;
                }

                await parts.SlowSql.RunAsync(Mark, Patience, ct);
                ArchivedAt = await parts.SlowSql.RunAsync(Archived, Patience, ct) is DateTime at ? new DateTimeOffset(at, TimeSpan.Zero) : null;
                if (await parts.SlowSql.RunAsync(Failing, Patience, ct) is not true)
                    failed = ready ? default : failed;
                else if (Due())
                    await ExplainAsync(tool, ct);
            }
            catch (GuardException failure)
            {
                if (failed.Message != failure.Message)
                    parts.Log.LogWarning("{Failure}", failure.Message);
                failed = (failure.Message, parts.Clock.GetTimestamp());
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                // The guard ends.
            }
        }
    }

    /// <summary>Why the server cannot archive its log, and what to do.</summary>
    private static async Task ExplainAsync(PgBackRest tool, CancellationToken ct)
    {
        await tool.CheckAsync(ct);
        throw new GuardException("The server could not archive a piece of its log, and pgBackRest can read its repository: the server's log says why. It is tried again until it succeeds.");
    }
}
