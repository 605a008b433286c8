using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Changes;

/// <summary>Keeps what only this node has, before anything is rewound: the write-ahead log from where the timelines part, and what is decoded of it.</summary>
/// <remarks>Transactions and row changes are counted from the log's own records (<see cref="WalRecords"/>): exact for tables of users, but for transactions that began before the
/// oldest segment that is still there. The rows' contents are in the segments.</remarks>
internal sealed class Divergences(GuardParts parts, PeerServer peer)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Stops the server, and keeps what it has and the primary does not. Once for each epoch: repeated, it answers what was found.</summary>
    public async Task<Divergence> ExportAsync(string primary, long epoch, CancellationToken ct)
    {
        var folder = Path.Combine(parts.Configuration.State, "divergence", $"epoch-{epoch}");
        var summary = Path.Combine(folder, "summary.json");
        if (File.Exists(summary))
            return JsonSerializer.Deserialize<Divergence>(await File.ReadAllTextAsync(summary, ct), Json)!;
        // It has only what it got from the primary.
        if (parts.Status.Now() is { Role: NodeRole.Standby, Streaming: true })
            return new(0, 0, 0, 0, null);
        await parts.Server.StopAsync(TimeSpan.FromSeconds(10), ct);
        parts.Status.Down(null);
        var own = await TimelineAsync(ct);
        var from = await ForkAsync(primary, own, ct);
        if (from is null)
            return await KeepAsync(summary, new(0, 0, 0, 0, null), ct);

        Directory.CreateDirectory(folder);
        var records = new WalRecords(from.Value, await peer.GuardsTablesAsync(ct));
        await using (var listing = new StreamWriter(Path.Combine(folder, "records.txt")))
        {
            await parts.Tools.ReadLinesAsync(
                "pg_waldump",
                ["--path", parts.Server.Data.In("pg_wal"), "--timeline", own.ToString(CultureInfo.InvariantCulture), "--start", Lsn.Text(Oldest(own, from.Value))],
                line =>
                {
                    if (records.Read(line))
                        listing.WriteLine(line);
                },
                ct);
        }

        if (records.Transactions == 0)
            return await KeepAsync(summary, new(from.Value, Math.Max(from.Value, records.End), 0, 0, null), ct);
        foreach (var segment in Segments(own, from.Value))
            File.Copy(segment, Path.Combine(folder, Path.GetFileName(segment)), overwrite: true);
        var found = await KeepAsync(summary, new(from.Value, records.End, records.Transactions, records.Rows, folder), ct);
        parts.Log.LogWarning("{Transactions} transactions with {Rows} row changes exist here only, from {From} to {To}: kept in {Folder}",
            found.Transactions, found.Rows, Lsn.Text(found.FromLsn), Lsn.Text(found.ToLsn), folder);
        return found;
    }

    private static async Task<Divergence> KeepAsync(string summary, Divergence found, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(summary)!);
        var draft = summary + ".new";
        await File.WriteAllTextAsync(draft, JsonSerializer.Serialize(found, Json), ct);
        File.Move(draft, summary, overwrite: true);
        return found;
    }

    private async Task<int> TimelineAsync(CancellationToken ct) =>
        int.Parse(ControlData.Of(await parts.Tools.RunAsync("pg_controldata", [parts.Configuration.Data], ct), "Latest checkpoint's TimeLineID")!, CultureInfo.InvariantCulture);

    /// <summary>Where the primary left our timeline; null: it is still on it, so there is nothing that it lacks.</summary>
    private async Task<long?> ForkAsync(string primary, int own, CancellationToken ct)
    {
        var history = await peer.HistoryAsync(ct);
        var left = history.Split('\n').Select(line => line.Split('\t')).FirstOrDefault(fields => fields.Length >= 2 && fields[0].Trim() == own.ToString(CultureInfo.InvariantCulture));
        if (left is null && history.Trim().Length > 0)
            throw new GuardException($"{primary} does not descend from timeline {own}, which is this node's: what only this node has cannot be told. Keep its data directory, and clone.");
        return left is null ? null : Lsn.Parse(left[1].Trim()) ?? throw new GuardException($"The history of {primary}'s timeline cannot be understood: {history}");
    }

    /// <summary>Changes of a transaction that committed after the fork may lie before it: the log is read from its oldest segment that is without a gap to the fork.</summary>
    private long Oldest(int timeline, long fork)
    {
        var at = fork / Lsn.SegmentBytes * Lsn.SegmentBytes;
        while (at >= 2 * Lsn.SegmentBytes && File.Exists(parts.Server.Data.In($"pg_wal/{Lsn.Segment(timeline, at - Lsn.SegmentBytes)}")))
            at -= Lsn.SegmentBytes;
        return at;
    }

    private IEnumerable<string> Segments(int timeline, long from)
    {
        for (var at = from; File.Exists(parts.Server.Data.In($"pg_wal/{Lsn.Segment(timeline, at)}")); at += Lsn.SegmentBytes)
            yield return parts.Server.Data.In($"pg_wal/{Lsn.Segment(timeline, at)}");
    }
}
