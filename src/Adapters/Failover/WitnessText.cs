using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>The record as it is kept: JSON that an operator can read.</summary>
internal static class WitnessText
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = false,
    };

    public static string Write(WitnessRecord record) => JsonSerializer.Serialize(record, Json);

    /// <param name="place">For messages: what holds it.</param>
    /// <exception cref="AdapterException">It is no record: somebody else writes there. That is not "nothing".</exception>
    public static WitnessRecord Read(string text, string place)
    {
        try
        {
            if (JsonSerializer.Deserialize<WitnessRecord>(text, Json) is { Epoch: > 0, Primary.Length: > 0 } record)
                return record;
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new AdapterException(
            AdapterFailureKind.Rejected, $"{place} does not hold the record of a failover pair. Somebody else writes there: name another place in the witness's configuration, or restore the record.");
    }
}
