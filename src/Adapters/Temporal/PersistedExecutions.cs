using Google.Protobuf;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>Reads what a Temporal server keeps of executions in its database (its messages <c>temporal.server.api.persistence.v1</c>, of which only the fields that are needed are known here).</summary>
public static class PersistedExecutions
{
    /// <summary>The only encoding that the server writes.</summary>
    public const string Encoding = "Proto3";

    /// <summary>Fields of <c>WorkflowExecutionInfo</c>, <c>VersionHistories</c>, <c>VersionHistory</c>, <c>WorkflowExecutionState</c>.</summary>
    private const int TaskQueueField = 9, VersionHistoriesField = 54, CurrentField = 1, HistoriesField = 2, TokenField = 1, StateField = 3;

    /// <summary>Whether an execution has not ended: it was created, or is running.</summary>
    /// <param name="state">Column <c>state</c> of <c>executions</c>.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it is no such message.</exception>
    public static bool IsOpen(byte[] state) => IsOpen(Of(state).LastOrDefault(field => field.Number == StateField).Value);

    /// <summary>The same, of column <c>state</c> of <c>current_executions</c>.</summary>
    public static bool IsOpen(long state) => state is 1 or 2;

    /// <summary>Where the history of an execution is, and whose workers carry it on.</summary>
    /// <param name="data">Column <c>data</c> of <c>executions</c>.</param>
    /// <returns>No branch: it has no history of its own, being no workflow.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it is no such message.</exception>
    public static (HistoryBranch? Branch, string TaskQueue) Read(byte[] data)
    {
        var (histories, queue) = (Array.Empty<byte>(), "");
        foreach (var field in Of(data))
        {
            if (field.Number == VersionHistoriesField)
                histories = field.Bytes!;
            else if (field.Number == TaskQueueField)
                queue = System.Text.Encoding.UTF8.GetString(field.Bytes!);
        }

        var fields = Of(histories);
        var all = fields.Where(field => field.Number == HistoriesField).ToList();
        var current = (int)fields.LastOrDefault(field => field.Number == CurrentField).Value;
        var token = current < all.Count ? Of(all[current].Bytes!).LastOrDefault(field => field.Number == TokenField).Bytes : null;
        return (token is null ? null : Branch(token), queue);
    }

    /// <summary>The events of one row of <c>history_node</c>: their numbers, and whether the last of them ends the execution.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it is no such message.</exception>
    public static (IReadOnlyList<long> Ids, bool Begins, bool Ends) Events(byte[] batch)
    {
        try
        {
            var events = History.Parser.ParseFrom(batch).Events;
            return ([.. events.Select(item => item.EventId)], events is [{ EventType: EventType.WorkflowExecutionStarted }, ..], events.Count > 0 && TemporalContents.Ends(events[^1].EventType));
        }
        catch (InvalidProtocolBufferException failure)
        {
            throw Broken(failure);
        }
    }

    private static HistoryBranch Branch(byte[] token)
    {
        var fields = Of(token);
        var ancestors = fields.Where(field => field.Number == 3).Select(field => Of(field.Bytes!)).Select(range => (Id: Text(range, 1), Begin: Number(range, 2), End: Number(range, 3))).OrderBy(range => range.Begin).ToList();
        return new(Text(fields, 1), [.. ancestors, (Text(fields, 2), ancestors.Count == 0 ? 1 : ancestors[^1].End, long.MaxValue)]);

        static string Text(IReadOnlyList<Field> fields, int number) => System.Text.Encoding.UTF8.GetString(fields.LastOrDefault(field => field.Number == number).Bytes ?? []);

        static long Number(IReadOnlyList<Field> fields, int number) => fields.LastOrDefault(field => field.Number == number).Value;
    }

    private static List<Field> Of(byte[] message)
    {
        var found = new List<Field>();
        try
        {
            using var input = new CodedInputStream(message);
            while (input.ReadTag() is > 0 and var tag)
            {
                var number = WireFormat.GetTagFieldNumber(tag);
                switch (WireFormat.GetTagWireType(tag))
                {
                    case WireFormat.WireType.Varint:
                        found.Add(new(number, input.ReadInt64(), null));
                        break;
                    case WireFormat.WireType.LengthDelimited:
                        found.Add(new(number, 0, input.ReadBytes().ToByteArray()));
                        break;
                    default:
                        input.SkipLastField();
                        break;
                }
            }
        }
        catch (InvalidProtocolBufferException failure)
        {
            throw Broken(failure);
        }

        return found;
    }

    private static AdapterException Broken(Exception failure) => new(AdapterFailureKind.Damaged, $"What Temporal has written cannot be read: {failure.Message}", failure);

    private readonly record struct Field(int Number, long Value, byte[]? Bytes);
}

/// <param name="Tree">Column <c>tree_id</c> of <c>history_node</c>.</param>
/// <param name="Ranges">Which events are in which branch of it: those of the executions that it was reset from first, its own last. The end is not in it.</param>
public sealed record HistoryBranch(string Tree, IReadOnlyList<(string Id, long Begin, long End)> Ranges);
