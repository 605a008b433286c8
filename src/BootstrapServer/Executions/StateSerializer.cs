using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using PlatformOps.BootstrapServer.Batches;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions.Callbacks;
using PlatformOps.BootstrapServer.Schedules;
using PlatformOps.BootstrapServer.Visibility;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.Schedule.V1;
using Temporalio.Api.Sdk.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// State rows as JSON: fields can be added, a row can be read by eye. Values that are at their default are left out,
/// protocol messages inside are base64.
/// </summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [
        typeof(MessageConverter<Memo>), typeof(MessageConverter<SearchAttributes>), typeof(MessageConverter<UserMetadata>),
        typeof(MessageConverter<Priority>), typeof(MessageConverter<RetryPolicy>), typeof(MessageConverter<Payloads>),
        typeof(MessageConverter<Failure>), typeof(MessageConverter<VersionMetadata>), typeof(MessageConverter<WorkflowExecutionVersioningInfo>),
        typeof(MessageConverter<Schedule>), typeof(MessageConverter<ScheduleInfo>),
        typeof(MessageConverter<ResetPoints>),
    ])]
[JsonSerializable(typeof(RunState))]
[JsonSerializable(typeof(ActivityState))]
[JsonSerializable(typeof(TimerState))]
[JsonSerializable(typeof(ChildState))]
[JsonSerializable(typeof(ExternalRequestState))]
[JsonSerializable(typeof(UpdateState))]
[JsonSerializable(typeof(OutgoingState))]
[JsonSerializable(typeof(RequestState))]
[JsonSerializable(typeof(CompletionCallback))]
[JsonSerializable(typeof(StoredSchedule))]
[JsonSerializable(typeof(StoredDeployment))]
[JsonSerializable(typeof(StoredBatch))]
[JsonSerializable(typeof(BatchProgress))]
[JsonSerializable(typeof(BatchTargets))]
[JsonSerializable(typeof(ExecutionRecord))]
[JsonSerializable(typeof(ListToken))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(string))]
internal sealed partial class StateSerializer : JsonSerializerContext
{
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)Default.GetTypeInfo(typeof(T))!);

    public static T Read<T>(byte[] data) =>
        JsonSerializer.Deserialize(data, (JsonTypeInfo<T>)Default.GetTypeInfo(typeof(T))!)
        ?? throw new InvalidDataException($"A stored {typeof(T).Name} is null.");
}

/// <summary>Writes a protocol message as the base64 of its bytes.</summary>
internal sealed class MessageConverter<T> : JsonConverter<T>
    where T : class, IMessage<T>, new()
{
    private static readonly MessageParser<T> Parser = new(() => new T());

    public override T Read(ref Utf8JsonReader reader, System.Type typeToConvert, JsonSerializerOptions options) =>
        Parser.ParseFrom(reader.GetBytesFromBase64());

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteBase64StringValue(value.ToByteArray());
}
