namespace PlatformOps.Platform.Alerts;

/// <summary>What the alert receiver is told: where it listens, whom it believes, how much it takes, and where alerts go.</summary>
public sealed record AlertConfiguration
{
    /// <summary>Address and port, <c>host:port</c>. Default <c>127.0.0.1:9095</c>; port 0 lets the operating system choose.</summary>
    public required string Listen { get; init; }

    /// <summary>Null: no TLS, which is allowed on loopback only.</summary>
    public AlertTls? Tls { get; init; }

    /// <summary>How Alertmanager proves who it is; null: it is not listened to.</summary>
    public AlertSender? Alertmanager { get; init; }

    /// <summary>How senders of CloudEvents prove who they are; null: they are not listened to.</summary>
    public AlertSender? CloudEvents { get; init; }

    /// <summary>The ARNs of the SNS topics that are believed. SNS signs its messages itself.</summary>
    public IReadOnlyList<string> SnsTopics { get; init; } = [];

    /// <summary>The longest body in bytes. Default 1 MiB.</summary>
    public required int BodyBytes { get; init; }

    /// <summary>How many requests a second are taken in the long run; four times as many at once. Default 50.</summary>
    public required int RequestsPerSecond { get; init; }

    /// <summary>For how long a repetition of an alert that was passed on is answered without passing it on again. Default 1 minute.</summary>
    public required TimeSpan RepeatAfter { get; init; }

    /// <summary>The file that keeps what could not be routed, a line of JSON each; null: memory alone keeps it.</summary>
    public string? DeadLetters { get; init; }

    /// <summary>The environments that there are.</summary>
    public required IReadOnlyList<string> Environments { get; init; }

    /// <summary>In order; the first that matches decides.</summary>
    public required IReadOnlyList<AlertRoute> Routes { get; init; }
}

/// <summary>The receiver's certificate (with intermediates) and key, PEM files.</summary>
public sealed record AlertTls(string CertificateFile, string KeyFile);

/// <summary>How a sender proves who it is: exactly one of the two.</summary>
/// <param name="TokenFile">Holds a bearer token.</param>
/// <param name="HmacKeyFile">Holds the key of an HMAC-SHA256 over the body, sent as <c>X-Hub-Signature-256: sha256=HEX</c>.</param>
public sealed record AlertSender(string? TokenFile, string? HmacKeyFile);
