namespace PlatformOps.Platform.Alerts;

/// <summary>One alert of any sender, in one form.</summary>
public sealed record Alert
{
    /// <summary>The same for every repetition, and for the message that says that it is over: Alertmanager's fingerprint and start.</summary>
    public required string Key { get; init; }

    /// <summary>What it is about, for example <c>PostgreSQLPrimaryDown</c>.</summary>
    public required string Name { get; init; }

    public required AlertStatus Status { get; init; }

    /// <summary>What routing looks at; <c>alertname</c> is among them.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>A sentence for people; null: the sender gave none.</summary>
    public string? Summary { get; init; }

    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>When it was over; null while it fires.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>Who sent it: <c>alertmanager</c>, <c>cloudEvents</c>, <c>sns</c>.</summary>
    public required string Source { get; init; }
}

public enum AlertStatus
{
    Firing,

    /// <summary>It is over. That is evidence too.</summary>
    Resolved,
}
