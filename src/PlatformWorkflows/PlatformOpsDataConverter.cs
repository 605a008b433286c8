using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Converters;

namespace PlatformOps.Workflows;

/// <summary>How messages of runbooks are written: camelCase JSON, enums as camelCase words, no nulls. Worker, clients, tests and replay
/// share <see cref="Instance"/>; any client of any language that writes the same plain JSON understands the runbooks too.</summary>
public static class PlatformOpsDataConverter
{
    /// <summary>The JSON of all messages; also what the command line prints with <c>--output json</c>.</summary>
    public static JsonSerializerOptions Json { get; } = CreateJson();

    public static DataConverter Instance { get; } = new(new PlatformOpsPayloadConverter(), new DefaultFailureConverter());

    /// <summary>The same messages, encoded on their way to the server.</summary>
    /// <param name="encodes">Whether message and stack trace of a failure are encoded too; null: never. They are decoded in any case.</param>
    public static DataConverter With(IPayloadCodec codec, Func<Exception, bool>? encodes) => new(
        new PlatformOpsPayloadConverter(), encodes is null ? new DefaultFailureConverter() : new EncodingFailureConverter(encodes), codec);

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

    /// <summary>Encodes messages and stack traces, also of what a failure was caused by: one that came from a child or an activity is passed on by the SDK with its decoded message beside the encoded one.</summary>
    private sealed class EncodingFailureConverter(Func<Exception, bool> encodes) : DefaultFailureConverter
    {
        /// <summary>As the SDKs write it.</summary>
        private const string Encoded = "Encoded failure";

        public override Failure ToFailure(Exception exception, IPayloadConverter payloadConverter)
        {
            var failure = base.ToFailure(exception, payloadConverter);
            for (var each = encodes(exception) ? failure : null; each is not null; each = each.Cause)
            {
                if (each.Message == Encoded && each.EncodedAttributes is not null)
                    continue;
                each.EncodedAttributes = payloadConverter.ToPayload(new Dictionary<string, string> { ["message"] = each.Message, ["stack_trace"] = each.StackTrace });
                (each.Message, each.StackTrace) = (Encoded, "");
            }

            return failure;
        }
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
