namespace PlatformOps.Sandbox;

/// <summary>Makes calls to a stand-in go wrong. The sandbox's own controllers are not affected.</summary>
public sealed record Fault
{
    public required FaultKind Kind { get; init; }

    /// <summary>Only calls with this HTTP method; null: all.</summary>
    public string? Method { get; init; }

    /// <summary>Only calls whose path contains this, for example <c>/deployments/temporal-history</c>; null: all.</summary>
    public string? Path { get; init; }

    /// <summary>Only calls for which this holds; asked last, once for each call that the rest lets through. Null: all.</summary>
    public Func<FaultedCall, bool>? When { get; init; }

    /// <summary>The HTTP status of <see cref="FaultKind.Error"/>: 401, 403, 409, 429, 500, 503, ... Default 503.</summary>
    public int StatusCode { get; init; } = 503;

    /// <summary>For 429 and 503: the seconds in <c>Retry-After</c>; null: not stated.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>How long <see cref="FaultKind.Latency"/> holds a call back. Default one second.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Share of the calls that are hit, 0..1. Default 1. Drawn from the sandbox's seed.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>How many calls are hit before the fault is over; null: until it is cleared.</summary>
    public int? Times { get; init; }
}

/// <summary>A call that a fault may hit.</summary>
/// <param name="Method">Of HTTP.</param>
/// <param name="Path">Without its query; of AWS <c>/rds/CreateDBInstance</c>: service and operation.</param>
/// <param name="Changes">Whether it may change something.</param>
public sealed record FaultedCall(string Method, string Path, bool Changes);

/// <summary>What goes wrong.</summary>
public enum FaultKind
{
    /// <summary>The call is answered with an error and has no effect.</summary>
    Error,

    /// <summary>The call is held back, then carried out.</summary>
    Latency,

    /// <summary>The connection is cut before the call has an effect.</summary>
    Cut,

    /// <summary>The call is carried out, and the connection is cut before the answer.</summary>
    CutAfterEffect,

    /// <summary>An HTML page is answered instead, as by a proxy or a login. Stand-ins of external services only.</summary>
    Page,
}
