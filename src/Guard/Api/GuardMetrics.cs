using System.Globalization;
using System.Text;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Api;

/// <summary>What a guard says of its node to Prometheus, in its text format. Pure. What is not known has no sample: unknown is neither 0 nor 1.</summary>
internal static class GuardMetrics
{
    /// <summary>Of the answer.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="view">What the server said last; null: it does not run, or has not answered yet.</param>
    /// <param name="leaseLeft">Zero when the node holds none.</param>
    /// <param name="sessions">How many clients' sessions are through.</param>
    /// <param name="archivedAt">When the newest piece of the log was archived; null: not known, or this node archives nothing.</param>
    public static string Write(string environment, DatabaseNode node, ServerView? view, TimeSpan leaseLeft, int sessions, DateTimeOffset? archivedAt = null)
    {
        var text = new StringBuilder();
        // A server that is down says nothing: what it said before is not so any more.
        var running = node.Role is NodeRole.Primary or NodeRole.Standby ? view : null;
        Sample("writable", "Whether clients can write through this guard now: it serves, and holds the lease.", Bit(node.Writable));
        Sample("fenced", "Whether the node is out of service until somebody decides.", Bit(node.Fenced));
        Sample("streaming", "Of a standby: whether it streams. Of a primary: whether its standby does.", node.Streaming is { } streaming ? Bit(streaming) : null);
        Sample("synchronous", "Of a primary: whether commits wait for its standby.", node.Synchronous is { } synchronous ? Bit(synchronous) : null);
        Sample("trouble", "Whether something is wrong with the node, a fence included; GET /v1/status says what.", Bit(node.Trouble is not null));
        Sample("lease_seconds", "What is left of the node's lease; 0 when it holds none.", leaseLeft.TotalSeconds);
        Sample("epoch", "The highest epoch that the guard has seen.", node.Epoch);
        Sample("timeline", "PostgreSQL's timeline.", node.Timeline);
        Sample("client_sessions", "Sessions of clients that are through.", sessions);
        Sample("wal_bytes", "Of a primary the end of its write-ahead log, of a standby what it has received and flushed; in bytes, comparable between the nodes of a timeline.", node.ReceivedLsn);
        Sample("receive_lag_bytes", "Of a primary: what its standby has not received and flushed yet.", running?.StandbyLacks);
        Sample("replay_lag_bytes", "Of a standby: what it has received and not replayed yet.", running is { Recovering: true } ? Math.Max(0, running.Received - running.Replayed) : null);
        Sample("marker_timestamp_seconds", "The last marker that is visible on the node, written once a second by the primary's clock.", node.LastMarker is { } marker ? marker.ToUnixTimeMilliseconds() / 1000.0 : null);
        Sample("archived_timestamp_seconds", "Of a primary with backups: when the newest piece of its log was archived.", archivedAt is { } archived ? archived.ToUnixTimeMilliseconds() / 1000.0 : null);
        Help("role", "What the node is: 1 for one of the roles.");
        foreach (var role in Enum.GetValues<NodeRole>())
            Line("role", Bit(node.Role == role), $",role=\"{role.ToString().ToLowerInvariant()}\"");
        return text.ToString();

        void Sample(string name, string help, double? value)
        {
            if (value is not { } known)
                return;
            Help(name, help);
            Line(name, known, "");
        }

        void Help(string name, string help) => text.Append(CultureInfo.InvariantCulture, $"# HELP platformops_guard_{name} {help}\n# TYPE platformops_guard_{name} gauge\n");

        void Line(string name, double value, string further) =>
            text.Append(CultureInfo.InvariantCulture, $"platformops_guard_{name}{{environment=\"{Escaped(environment)}\",region=\"{Escaped(node.Name)}\"{further}}} {value:R}\n");
    }

    private static double Bit(bool value) => value ? 1 : 0;

    private static string Escaped(string label) => label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
