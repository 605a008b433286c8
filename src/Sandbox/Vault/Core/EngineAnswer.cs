using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Vault.Core;

/// <summary>What an engine answers: data, a lease on them, a login, something raw, or nothing.</summary>
internal sealed record EngineAnswer(JsonObject? Data = null)
{
    public static EngineAnswer Nothing { get; } = new();

    public int? Status { get; init; }

    /// <summary>The data must be given back: revoked at the end of the lease.</summary>
    public LeaseOffer? Lease { get; init; }

    /// <summary>The <c>auth</c> part of the answer.</summary>
    public JsonObject? Auth { get; init; }

    public byte[]? Raw { get; init; }

    public string ContentType { get; init; } = "application/json";

    /// <summary>Some of the system's own answers repeat their data beside the envelope's fields, or have no envelope.</summary>
    public bool Bare { get; init; }

    public IReadOnlyList<string> Warnings { get; init; } = [];

    public static EngineAnswer Keys(IEnumerable<string> keys, JsonObject? info = null)
    {
        var sorted = keys.Distinct().Order(StringComparer.Ordinal).Select(key => (JsonNode?)key).ToArray();
        if (sorted.Length == 0)
            throw Http.VaultFailure.Missing();
        var data = new JsonObject { ["keys"] = new JsonArray(sorted) };
        if (info is not null)
            data["key_info"] = info;
        return new(data);
    }
}

/// <summary>How long what was handed out lives, and what its engine needs to know to take it back.</summary>
internal sealed record LeaseOffer(TimeSpan Ttl, TimeSpan MaxTtl, JsonObject Remembered);

/// <summary>Something that is mounted at a path.</summary>
internal interface IEngine
{
    Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct);

    /// <summary>Whether what an update names is there: without it, the right to create is needed. Null: the engine makes no difference.</summary>
    bool? Exists(VaultRequest request) => null;

    /// <summary>Whether this path answers anybody, without a token.</summary>
    bool IsOpen(string path) => false;

    /// <summary>Whether this path also needs the capability <c>sudo</c>.</summary>
    bool NeedsSudo(VaultRequest request) => false;

    /// <summary>Takes back what a lease handed out.</summary>
    Task RevokeAsync(JsonObject remembered, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Carries a renewed lease into the outside world.</summary>
    Task RenewAsync(JsonObject remembered, DateTimeOffset until, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Does what is due by the clock. Returns when it wants to be asked again; null: never.</summary>
    Task<DateTimeOffset?> TickAsync(CancellationToken ct) => Task.FromResult<DateTimeOffset?>(null);
}
