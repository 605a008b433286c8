using System.Text.Json;
using PlatformOps.Platform.Alerts;

namespace PlatformOps.Adapters.Alerts;

/// <summary>A CloudEvent (specification 1.0, HTTP binding: structured or binary mode) whose data says <c>status</c> (<c>firing</c> by default, or <c>resolved</c>),
/// <c>labels</c>, <c>summary</c>, <c>startsAt</c>, <c>endsAt</c>, and <c>key</c> where firing and resolved are two events.</summary>
public static class CloudEvent
{
    private const string Structured = "application/cloudevents+json";

    /// <param name="header">An HTTP header by its name; null: there is none.</param>
    /// <exception cref="AdapterException">It is no such event; the message names the attribute.</exception>
    public static Alert Read(Func<string, string?> header, ReadOnlyMemory<byte> body)
    {
        if (header("Content-Type")?.StartsWith(Structured, StringComparison.OrdinalIgnoreCase) is true)
        {
            var whole = AlertPayload.Object(body, "The CloudEvent");
            return Of(name => AlertPayload.Optional(whole, name, ""), "", whole.TryGetProperty("data", out var data) ? data : default);
        }

        return Of(name => header($"ce-{name}"), "ce-", body.IsEmpty ? default : AlertPayload.Object(body, "The CloudEvent's data"));
    }

    private static Alert Of(Func<string, string?> attribute, string prefix, JsonElement data)
    {
        string Required(string name) => attribute(name) is { Length: > 0 } value ? value : throw AlertPayload.Wrong($"{prefix}{name} is missing or empty: it is a required attribute of a CloudEvent.");
        if (Required("specversion") is var version && !version.StartsWith("1.", StringComparison.Ordinal))
            throw AlertPayload.Wrong($"{prefix}specversion is '{version}'; 1.0 is expected.");
        var (id, source, type) = (Required("id"), Required("source"), Required("type"));
        if (data.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined or JsonValueKind.Null))
            throw AlertPayload.Wrong($"data is {data.ValueKind}; an object is expected.");
        var hasData = data.ValueKind == JsonValueKind.Object;
        var labels = hasData ? AlertPayload.Texts(data, "labels", "data.") : [];
        labels.TryAdd("alertname", type);
        labels.TryAdd("source", source);
        var status = hasData ? AlertPayload.Optional(data, "status", "data.") ?? "firing" : "firing";
        return new Alert
        {
            Key = $"{source}/{(hasData ? AlertPayload.Optional(data, "key", "data.") : null) ?? id}",
            Name = labels["alertname"],
            Status = status switch
            {
                "firing" => AlertStatus.Firing,
                "resolved" => AlertStatus.Resolved,
                _ => throw AlertPayload.Wrong($"data.status is '{status}'; firing or resolved is expected."),
            },
            Labels = labels,
            Summary = hasData ? AlertPayload.Optional(data, "summary", "data.") : null,
            StartsAt = hasData ? AlertPayload.Time(data, "startsAt", "data.") : null,
            EndsAt = hasData ? AlertPayload.Time(data, "endsAt", "data.") : null,
            Source = "cloudEvents",
        };
    }
}
