using System.Text;
using System.Text.Json;

namespace PlatformOps.Integration.Tests.Alerts;

/// <summary>Requests as the senders write them.</summary>
internal static class Payloads
{
    public static byte[] Alertmanager(params object[] alerts) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        receiver = "platformops",
        status = "firing",
        alerts,
        groupLabels = new { alertname = "PostgreSQLPrimaryDown" },
        commonLabels = new { },
        commonAnnotations = new { },
        externalURL = "http://alertmanager:9093",
        version = "4",
        groupKey = "{}:{alertname=\"PostgreSQLPrimaryDown\"}",
        truncatedAlerts = 0,
    });

    public static object Alert(string environment, string status = "firing", string fingerprint = "a482cdbb60238a75", string startsAt = "2026-11-23T04:27:18.734Z", string name = "PostgreSQLPrimaryDown") => new
    {
        status,
        labels = new { alertname = name, environment, region = "us-east-1", runbook = "failover", severity = "critical" },
        annotations = new { summary = "No primary accepts writes." },
        startsAt,
        endsAt = status == "firing" ? "0001-01-01T00:00:00Z" : "2026-11-23T04:29:00Z",
        generatorURL = "",
        fingerprint,
    };

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
