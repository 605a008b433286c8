using System.Globalization;
using System.Text.Json;
using PlatformOps.Platform.Alerts;

namespace PlatformOps.Adapters.Alerts;

/// <summary>Alertmanager's webhook, version 4.</summary>
public static class AlertmanagerWebhook
{
    /// <summary>The alerts of one notification. Each stands for itself: a group may fire and be over in parts.</summary>
    /// <exception cref="AdapterException">It is no such notification; the message names the field.</exception>
    public static IReadOnlyList<Alert> Read(ReadOnlyMemory<byte> body)
    {
        var notification = AlertPayload.Object(body, "Alertmanager's notification");
        var version = AlertPayload.Text(notification, "version", "");
        if (version != "4")
            throw AlertPayload.Wrong($"version is '{version}'; Alertmanager's webhook of version 4 is expected.");
        if (!notification.TryGetProperty("alerts", out var alerts) || alerts.ValueKind != JsonValueKind.Array)
            throw AlertPayload.Wrong("alerts is missing; a list is expected.");
        return [.. alerts.EnumerateArray().Select((alert, index) => ReadAlert(alert, string.Create(CultureInfo.InvariantCulture, $"alerts[{index}].")))];
    }

    private static Alert ReadAlert(JsonElement alert, string path)
    {
        if (alert.ValueKind != JsonValueKind.Object)
            throw AlertPayload.Wrong($"{path.TrimEnd('.')} is {alert.ValueKind}; an object is expected.");
        var labels = AlertPayload.Texts(alert, "labels", path);
        var annotations = AlertPayload.Texts(alert, "annotations", path);
        var status = AlertPayload.Text(alert, "status", path);
        var startsAt = AlertPayload.Time(alert, "startsAt", path) ?? throw AlertPayload.Wrong($"{path}startsAt is missing; a time is expected.");
        return new Alert
        {
            Key = string.Create(CultureInfo.InvariantCulture, $"{AlertPayload.Text(alert, "fingerprint", path)}/{startsAt.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}"),
            Name = labels.TryGetValue("alertname", out var name) && name.Length > 0 ? name : throw AlertPayload.Wrong($"{path}labels.alertname is missing or empty; text is expected."),
            Status = status switch
            {
                "firing" => AlertStatus.Firing,
                "resolved" => AlertStatus.Resolved,
                _ => throw AlertPayload.Wrong($"{path}status is '{status}'; firing or resolved is expected."),
            },
            Labels = labels,
            Summary = annotations.GetValueOrDefault("summary") ?? annotations.GetValueOrDefault("description"),
            StartsAt = startsAt,
            // While an alert fires Alertmanager may state when it would give up on it: that is no end.
            EndsAt = status == "resolved" ? AlertPayload.Time(alert, "endsAt", path) : null,
            Source = "alertmanager",
        };
    }
}
