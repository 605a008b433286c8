using System.Text.Json;
using Google.Protobuf;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>Where the next page of a list begins: after a record, or, with an order of the caller's own, after so many.</summary>
internal sealed record ListToken(long CloseTicks, long StartTicks, string RunId, int Skip)
{
    public static ListToken After(ExecutionRecord record)
    {
        var key = record.Place();
        return new ListToken(key.CloseTicks, key.StartTicks, key.RunId, 0);
    }

    public static ListToken AfterMany(int count) => new(0, 0, "", count);

    public ListKey Key => new(CloseTicks, StartTicks, RunId);

    public ByteString Encode() => ByteString.CopyFrom(StateSerializer.Write(this));

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when it is not one of ours.</exception>
    public static ListToken? Decode(ByteString token)
    {
        try
        {
            return token.IsEmpty ? null : StateSerializer.Read<ListToken>(token.ToByteArray());
        }
        catch (Exception failure) when (failure is JsonException or InvalidDataException)
        {
            throw ServiceError.InvalidArgument("Invalid NextPageToken: it does not come from a list call of this server.");
        }
    }
}
