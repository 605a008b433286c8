using System.Globalization;
using Google.Protobuf;
using PlatformOps.BootstrapServer.Protocol;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What a worker hands back with its answer to say which task it answers. Opaque to workers.</summary>
internal sealed record TaskToken(string NamespaceId, string WorkflowId, string RunId, long ScheduledEventId, long StartedEventId, int Attempt, string ActivityId = "", string QueryId = "")
{
    private const char Separator = '\n';

    public ByteString Encode() => ByteString.CopyFromUtf8(string.Join(
        Separator, NamespaceId, RunId, Text(ScheduledEventId), Text(StartedEventId), Text(Attempt), QueryId, ActivityId.Length.ToString(CultureInfo.InvariantCulture), ActivityId + WorkflowId));

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when it is not one of ours.</exception>
    public static TaskToken Decode(ByteString token)
    {
        if (token.IsEmpty)
            throw ServiceError.InvalidArgument("Task token not set on request.");
        var parts = token.ToStringUtf8().Split(Separator, 8);
        if (parts.Length != 8
            || !long.TryParse(parts[2], CultureInfo.InvariantCulture, out var scheduled)
            || !long.TryParse(parts[3], CultureInfo.InvariantCulture, out var started)
            || !int.TryParse(parts[4], CultureInfo.InvariantCulture, out var attempt)
            || !int.TryParse(parts[6], CultureInfo.InvariantCulture, out var idLength)
            || idLength > parts[7].Length)
            throw ServiceError.InvalidArgument("error deserializing task token");
        return new TaskToken(parts[0], parts[7][idLength..], parts[1], scheduled, started, attempt, parts[7][..idLength], parts[5]);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
