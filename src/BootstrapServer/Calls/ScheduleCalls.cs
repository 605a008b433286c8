using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Schedules;
using PlatformOps.BootstrapServer.Visibility;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Schedule.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Schedules: making, changing, asking, taking away.</summary>
internal sealed class ScheduleCalls(Engine engine) : IProtocolCalls
{
    private const int MostMatchingTimes = 1000;
    private const int FutureActions = 10;
    private const int LongestNotes = 1000;

    /// <summary>What a workflow's id gets when the schedule starts it.</summary>
    private const string AppendedTime = "-2009-11-10T23:00:00Z";

    public string Service => WorkflowServiceName.Name;

    public async Task<CreateScheduleResponse> CreateSchedule(CreateScheduleRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Id(request.ScheduleId, "ScheduleId");
        RequireAttributes(ns, request.SearchAttributes);
        if (request.RequestId.Length == 0)
            throw ServiceError.InvalidArgument("RequestId is not set on request.");
        Check(request.InitialPatch);
        var now = engine.Clock.GetUtcNow();
        var state = new StoredSchedule
        {
            NamespaceId = ns.Id,
            ScheduleId = request.ScheduleId,
            CreateRequestId = request.RequestId,
            Schedule = Canonical(ns, request.Schedule),
            Info = new ScheduleInfo { CreateTime = now.ToTimestamp() },
            Memo = request.Memo,
            SearchAttributes = request.SearchAttributes,
            ProcessedUntil = now,
        };
        var created = await engine.Schedules.CreateAsync(ns, state, schedule => schedule.Patch(request.InitialPatch ?? new SchedulePatch()));
        return new CreateScheduleResponse { ConflictToken = Token(created.State) };
    }

    public async Task<DescribeScheduleResponse> DescribeSchedule(DescribeScheduleRequest request, ServerCallContext context)
    {
        var schedule = Find(request.Namespace, request.ScheduleId);
        DescribeScheduleResponse? response = null;
        await schedule.LookAsync(state => response = new DescribeScheduleResponse
        {
            Schedule = state.Schedule.Clone(),
            Info = Info(schedule),
            Memo = state.Memo,
            SearchAttributes = Shown(engine, state),
            ConflictToken = Token(state),
        });
        await engine.Store.Flushed();
        return response!;
    }

    public async Task<UpdateScheduleResponse> UpdateSchedule(UpdateScheduleRequest request, ServerCallContext context)
    {
        var schedule = Find(request.Namespace, request.ScheduleId);
        RequireAttributes(schedule.Namespace, request.SearchAttributes);
        var wanted = Canonical(schedule.Namespace, request.Schedule);
        await schedule.ChangeAsync(() =>
        {
            var state = schedule.State;
            if (!request.ConflictToken.IsEmpty && request.ConflictToken != Token(state))
                throw ServiceError.FailedPrecondition($"schedule \"{request.ScheduleId}\" was changed since it was read: read it again (mismatched conflict token)");
            schedule.Replace(wanted);
            state.SearchAttributes = request.SearchAttributes ?? state.SearchAttributes;
            state.Memo = request.Memo ?? state.Memo;
        });
        return new UpdateScheduleResponse();
    }

    public async Task<PatchScheduleResponse> PatchSchedule(PatchScheduleRequest request, ServerCallContext context)
    {
        var schedule = Find(request.Namespace, request.ScheduleId);
        if (request.Patch is null)
            throw ServiceError.InvalidArgument("Patch is not set on request.");
        Check(request.Patch);
        await schedule.ChangeAsync(() => schedule.Patch(request.Patch));
        return new PatchScheduleResponse();
    }

    public async Task<DeleteScheduleResponse> DeleteSchedule(DeleteScheduleRequest request, ServerCallContext context)
    {
        await engine.Schedules.DeleteAsync(Find(request.Namespace, request.ScheduleId));
        return new DeleteScheduleResponse();
    }

    public Task<ListScheduleMatchingTimesResponse> ListScheduleMatchingTimes(ListScheduleMatchingTimesRequest request, ServerCallContext context)
    {
        var schedule = Find(request.Namespace, request.ScheduleId);
        if (request.StartTime is null || request.EndTime is null)
            throw ServiceError.InvalidArgument("StartTime and EndTime have to be set on request.");
        var times = schedule.Between(request.StartTime.ToDateTimeOffset(), request.EndTime.ToDateTimeOffset()).Take(MostMatchingTimes);
        return Task.FromResult(new ListScheduleMatchingTimesResponse { StartTime = { times.Select(t => t.Actual.ToTimestamp()) } });
    }

    public static ScheduleInfo Info(LiveSchedule schedule)
    {
        var info = schedule.State.Info.Clone();
        info.FutureActionTimes.Add(schedule.Future(FutureActions));
        return info;
    }

    /// <summary>The schedule's own search attributes with their types; none at all when there is none.</summary>
    public static SearchAttributes? Shown(Engine engine, StoredSchedule state) =>
        ExecutionInfo.Typed(state.NamespaceId, state.SearchAttributes, engine.SearchAttributes) is { IndexedFields.Count: > 0 } typed ? typed : null;

    private static void Check(SchedulePatch? patch)
    {
        if (patch is not null && Math.Max(patch.Pause.Length, patch.Unpause.Length) > LongestNotes)
            throw ServiceError.InvalidArgument($"Schedule notes exceed the limit of {LongestNotes} characters.");
    }

    private Schedule Canonical(Namespace ns, Schedule? given)
    {
        if (given?.Action?.StartWorkflow is not { } start)
            throw ServiceError.InvalidArgument("Schedule.Action.StartWorkflow is not set on request.");
        RequestChecks.Start(ScheduledStart.Request(start), engine.Limits);
        RequestChecks.Id(start.WorkflowId + AppendedTime, "WorkflowId");
        if (start.CronSchedule.Length > 0)
            throw ServiceError.InvalidArgument("Scheduled workflows must not contain CronSchedule");
        if (start.WorkflowIdReusePolicy is not (WorkflowIdReusePolicy.Unspecified or WorkflowIdReusePolicy.AllowDuplicate))
            throw ServiceError.InvalidArgument("Scheduled workflows support only the AllowDuplicate workflow id reuse policy");
        RequireAttributes(ns, start.SearchAttributes);
        var schedule = given.Clone();
        schedule.Spec = CanonicalSpec.Of(given.Spec);
        schedule.Policies ??= new SchedulePolicies();
        schedule.State ??= new ScheduleState();
        return schedule;
    }

    private void RequireAttributes(Namespace ns, SearchAttributes? attributes)
    {
        if (engine.SearchAttributes.Problem(ns, attributes) is { } problem)
            throw ServiceError.InvalidArgument(problem);
    }

    private LiveSchedule Find(string namespaceName, string scheduleId)
    {
        var ns = engine.Namespaces.Get(namespaceName);
        RequestChecks.Id(scheduleId, "ScheduleId");
        return engine.Schedules.Get(ns, scheduleId);
    }

    private static ByteString Token(StoredSchedule state) => ByteString.CopyFromUtf8(state.Version.ToString(CultureInfo.InvariantCulture));
}
