using System.Text.Json;
using System.Text.Json.Serialization;

namespace PlatformOps.Adapters.Failover;

/// <summary>What guards and their callers agree on.</summary>
public static class GuardWire
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>How often a guard that has nothing to tell says so.</summary>
    public static TimeSpan BlankEvery { get; } = TimeSpan.FromMilliseconds(100);
}

/// <summary>The body of a call that changes something.</summary>
public sealed record GuardOrder
{
    public long Epoch { get; init; }

    public int DrainMs { get; init; }

    public string? Primary { get; init; }

    public bool Synchronous { get; init; }

    /// <summary>Whose restored data is meant.</summary>
    public string? Operation { get; init; }
}

/// <summary>Why a call was not carried out, as sentences.</summary>
public sealed record GuardRefusal(string Message);
