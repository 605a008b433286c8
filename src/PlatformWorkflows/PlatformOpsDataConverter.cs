using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace PlatformOps.Workflows;

/// <summary>How messages of runbooks are written: camelCase JSON, enums as camelCase words, no nulls. Worker, clients, tests and replay
/// share <see cref="Instance"/>; any client of any language that writes the same plain JSON understands the runbooks too.</summary>
public static class PlatformOpsDataConverter
{
    /// <summary>The JSON of all messages; also what the command line prints with <c>--output json</c>.</summary>
    public static JsonSerializerOptions Json { get; } = CreateJson();

    public static DataConverter Instance { get; } = new(new PlatformOpsPayloadConverter(), new DefaultFailureConverter());

    private static JsonSerializerOptions CreateJson()
    {
        var options = new JsonSerializerOptions(JsonSerializerOptions.Default)
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            // Histories are read by people and never end up in a web page as they are.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    private sealed class PlatformOpsPayloadConverter() : DefaultPayloadConverter(Json), IPayloadConverter
    {
        /// <summary>What an operator typed and nobody can read becomes an answer to the operator; an exception here would be a workflow task
        /// that fails for ever.</summary>
        object? IPayloadConverter.ToValue(Payload payload, Type type)
        {
            if (!UnreadableInput.IsInput(type))
                return ToValue(payload, type);
            try
            {
                return ToValue(payload, type);
            }
            catch (JsonException)
            {
                return UnreadableInput.Create(type, "The input is not valid JSON. Give one JSON object.");
            }
            catch (ArgumentException)
            {
                return UnreadableInput.Create(type, "The input is not JSON (metadata encoding json/plain). Give one JSON object.");
            }
        }
    }
}
