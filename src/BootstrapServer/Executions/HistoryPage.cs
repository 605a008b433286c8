using System.Globalization;
using Google.Protobuf;
using PlatformOps.BootstrapServer.Protocol;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Where reading a history goes on: the page token of history calls and of workflow tasks with a long history.</summary>
/// <param name="Next">The first event id of the next page.</param>
/// <param name="End">Where the history ended when reading began; 0 when the reader follows it.</param>
internal sealed record HistoryPage(string RunId, long Next, long End)
{
    /// <summary>Events of a page, unless the caller wants fewer.</summary>
    public const int DefaultSize = 256;

    /// <summary>Not 0 when the last page ends with the events of a workflow task that is not in history.</summary>
    public long TaskStartedEventId { get; init; }

    public ByteString Encode() => ByteString.CopyFromUtf8(string.Create(CultureInfo.InvariantCulture, $"{RunId}:{Next}:{End}:{TaskStartedEventId}"));

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when it is not one of ours.</exception>
    public static HistoryPage Decode(ByteString token)
    {
        var parts = token.ToStringUtf8().Split(':');
        if (parts.Length != 4
            || !long.TryParse(parts[1], CultureInfo.InvariantCulture, out var next)
            || !long.TryParse(parts[2], CultureInfo.InvariantCulture, out var end)
            || !long.TryParse(parts[3], CultureInfo.InvariantCulture, out var started))
            throw ServiceError.InvalidArgument("Invalid NextPageToken.");
        return new HistoryPage(parts[0], next, end) { TaskStartedEventId = started };
    }
}
