using Google.Protobuf;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Schedules;
using PlatformOps.BootstrapServer.Visibility;
using PlatformOps.BootstrapServer.Visibility.Filtering;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Schedule.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Lists and counts of schedules, by the same filters as lists of executions.</summary>
internal sealed class ScheduleListCalls(Engine engine) : IProtocolCalls
{
    private const int LargestPage = 1000;

    /// <summary>What a list shows of recent and of next actions, and of each part of a spec: less than a description.</summary>
    private const int FewActions = 5;
    private const int FewSpecs = 10;

    public string Service => WorkflowServiceName.Name;

    public async Task<ListSchedulesResponse> ListSchedules(ListSchedulesRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        var size = request.MaximumPageSize is > 0 and <= LargestPage ? request.MaximumPageSize : LargestPage;
        var (page, next) = PageToken.Take(await MatchesAsync(ns, request.Query), s => s.ScheduleId, request.NextPageToken, size);
        return new ListSchedulesResponse { Schedules = { page }, NextPageToken = next };
    }

    public async Task<CountSchedulesResponse> CountSchedules(CountSchedulesRequest request, ServerCallContext context) =>
        new() { Count = (await MatchesAsync(engine.Namespaces.Get(request.Namespace), request.Query)).Count };

    private async Task<List<ScheduleListEntry>> MatchesAsync(Namespace ns, string query)
    {
        var filter = Parse(ns, query);
        var matches = new List<ScheduleListEntry>();
        foreach (var schedule in engine.Schedules.Of(ns))
        {
            await schedule.LookAsync(state =>
            {
                if (filter.Accepts(Record(state)))
                    matches.Add(Entry(schedule));
            });
        }
        await engine.Store.Flushed();
        return matches;
    }

    private ScheduleListEntry Entry(LiveSchedule schedule)
    {
        var state = schedule.State;
        return new ScheduleListEntry
        {
            ScheduleId = state.ScheduleId,
            Memo = state.Memo,
            SearchAttributes = ScheduleCalls.Shown(engine, state),
            Info = new ScheduleListInfo
            {
                Spec = Shortened(state.Schedule.Spec),
                WorkflowType = state.Schedule.Action.StartWorkflow.WorkflowType,
                Notes = state.Schedule.State.Notes,
                Paused = state.Schedule.State.Paused,
                RecentActions = { state.Info.RecentActions.TakeLast(FewActions) },
                FutureActionTimes = { schedule.Future(FewActions) },
            },
        };
    }

    private static ScheduleSpec Shortened(ScheduleSpec spec)
    {
        var few = spec.Clone();
        Shorten(few.StructuredCalendar);
        Shorten(few.ExcludeStructuredCalendar);
        Shorten(few.Interval);
        return few;
    }

    private static void Shorten<T>(Google.Protobuf.Collections.RepeatedField<T> list)
    {
        while (list.Count > FewSpecs)
            list.RemoveAt(list.Count - 1);
    }

    private ListFilter Parse(Namespace ns, string query)
    {
        try
        {
            var filter = FilterParser.Parse(query, name => Attribute(ns, name));
            return filter.OrderBy.Count == 0 && filter.GroupBy is null
                ? filter
                : throw ServiceError.InvalidArgument("invalid query: 'ORDER BY' and 'GROUP BY' are not supported for schedules");
        }
        catch (FilterException e)
        {
            throw ServiceError.InvalidArgument(e.Message);
        }
    }

    private AttributeReader? Attribute(Namespace ns, string name) => name == "ScheduleId"
        ? new AttributeReader("WorkflowId", IndexedValueType.Keyword)
        : engine.SearchAttributes.TypeOf(ns.Id, name) is { } type ? new AttributeReader(name, type) : null;

    /// <summary>A schedule as the filters see it: its id in place of a workflow id, and whether it is paused.</summary>
    private static ExecutionRecord Record(StoredSchedule state)
    {
        var attributes = state.SearchAttributes?.Clone() ?? new SearchAttributes();
        attributes.IndexedFields["TemporalSchedulePaused"] = new Payload
        {
            Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") },
            Data = ByteString.CopyFromUtf8(state.Schedule.State.Paused ? "true" : "false"),
        };
        return new ExecutionRecord
        {
            NamespaceId = state.NamespaceId,
            WorkflowId = state.ScheduleId,
            RunId = "",
            WorkflowType = state.Schedule.Action.StartWorkflow.WorkflowType.Name,
            TaskQueue = state.Schedule.Action.StartWorkflow.TaskQueue.Name,
            Status = WorkflowExecutionStatus.Running,
            StartTime = state.Info.CreateTime.ToDateTimeOffset(),
            ExecutionTime = state.Info.CreateTime.ToDateTimeOffset(),
            SearchAttributes = attributes,
        };
    }
}
