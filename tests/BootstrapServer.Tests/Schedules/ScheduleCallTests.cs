using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Schedule.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Schedules;

/// <summary>The schedule calls as they go over the wire, where the SDK hides what they say.</summary>
public class ScheduleCallTests(SharedServer server)
{
    private Temporalio.Client.WorkflowService Calls => server.Client.WorkflowService;

    [Fact]
    public async Task The_same_creation_again_is_no_other_one()
    {
        var request = Creation();
        var first = await Calls.CreateScheduleAsync(request);
        Assert.Equal(first.ConflictToken, (await Calls.CreateScheduleAsync(request)).ConflictToken);
        request.RequestId = "another";
        await Failures.RefusedAsync(RpcException.StatusCode.AlreadyExists, () => Calls.CreateScheduleAsync(request));
        request.RequestId = "";
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.CreateScheduleAsync(request));
    }

    [Fact]
    public async Task A_pause_changes_the_conflict_token_and_a_trigger_does_not()
    {
        var request = Creation();
        var created = (await Calls.CreateScheduleAsync(request)).ConflictToken;
        await PatchAsync(new SchedulePatch { TriggerImmediately = new() });
        await Wait.UntilAsync(async () => (await DescribeAsync()).Info.ActionCount == 1);
        Assert.Equal(created, (await DescribeAsync()).ConflictToken);
        await PatchAsync(new SchedulePatch { Pause = "for a while" });
        await Wait.UntilAsync(async () => (await DescribeAsync()).Schedule.State.Paused);
        var described = await DescribeAsync();
        Assert.NotEqual(created, described.ConflictToken);
        Assert.Null(described.Info.UpdateTime);
        var update = new UpdateScheduleRequest { Namespace = "default", ScheduleId = request.ScheduleId, Schedule = described.Schedule, ConflictToken = created, RequestId = "u" };
        await Failures.RefusedAsync(RpcException.StatusCode.FailedPrecondition, () => Calls.UpdateScheduleAsync(update));
        update.ConflictToken = described.ConflictToken;
        await Calls.UpdateScheduleAsync(update);
        await Wait.UntilAsync(async () => (await DescribeAsync()).Info.UpdateTime is not null);
        await Calls.DeleteScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId });

        Task PatchAsync(SchedulePatch patch) => Calls.PatchScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId, Patch = patch, RequestId = Guid.NewGuid().ToString() });
        Task<DescribeScheduleResponse> DescribeAsync() => Calls.DescribeScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId });
    }

    [Fact]
    public async Task Lists_up_to_a_thousand_times_after_the_start()
    {
        var request = Creation();
        request.Schedule.Spec = new ScheduleSpec { CronString = { "0 * * * *" } };
        request.Schedule.State = new() { Paused = true };
        await Calls.CreateScheduleAsync(request);
        var from = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var day = await TimesAsync(from, from.AddDays(1));
        Assert.Equal((24, from.AddHours(1), from.AddDays(1)), (day.Count, day[0].ToDateTimeOffset(), day[^1].ToDateTimeOffset()));
        Assert.Equal(1000, (await TimesAsync(from, from.AddYears(1))).Count);
        await Calls.DeleteScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId });

        async Task<IList<Timestamp>> TimesAsync(DateTimeOffset start, DateTimeOffset end) => (await Calls.ListScheduleMatchingTimesAsync(new()
        {
            Namespace = "default",
            ScheduleId = request.ScheduleId,
            StartTime = start.ToTimestamp(),
            EndTime = end.ToTimestamp(),
        })).StartTime;
    }

    [Fact]
    public async Task Its_own_search_attributes_and_memo_are_shown_replaced_and_searched_for()
    {
        var request = Creation();
        var mark = Guid.NewGuid().ToString();
        request.SearchAttributes = new() { IndexedFields = { ["TestKeyword"] = Json($"\"{mark}\"") } };
        request.Memo = new() { Fields = { ["why"] = Json("\"because\"") } };
        await Calls.CreateScheduleAsync(request);
        var described = await DescribeAsync();
        Assert.Equal("Keyword", described.SearchAttributes.IndexedFields["TestKeyword"].Metadata["type"].ToStringUtf8());
        Assert.Equal("\"because\"", described.Memo.Fields["why"].Data.ToStringUtf8());
        await Wait.UntilAsync(async () => (await ListAsync()) == 1);
        await UpdateAsync(null);
        Assert.NotNull((await DescribeAsync()).SearchAttributes);
        await UpdateAsync(new());
        await Wait.UntilAsync(async () => (await DescribeAsync()).SearchAttributes is null && (await ListAsync()) == 0);
        await Calls.DeleteScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId });

        static Temporalio.Api.Common.V1.Payload Json(string text) => new()
        {
            Metadata = { ["encoding"] = Google.Protobuf.ByteString.CopyFromUtf8("json/plain") },
            Data = Google.Protobuf.ByteString.CopyFromUtf8(text),
        };
        async Task<int> ListAsync() => (await Calls.ListSchedulesAsync(new() { Namespace = "default", Query = $"TestKeyword = '{mark}' AND TemporalSchedulePaused = false" })).Schedules.Count;
        Task UpdateAsync(Temporalio.Api.Common.V1.SearchAttributes? attributes) => Calls.UpdateScheduleAsync(new()
        {
            Namespace = "default",
            ScheduleId = request.ScheduleId,
            Schedule = described.Schedule,
            SearchAttributes = attributes,
            RequestId = Guid.NewGuid().ToString(),
        });
        Task<DescribeScheduleResponse> DescribeAsync() => Calls.DescribeScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId });
    }

    [Fact]
    public async Task Refuses_an_action_that_a_schedule_cannot_take()
    {
        var request = Creation();
        request.Schedule.Action.StartWorkflow.CronSchedule = "0 0 * * *";
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.CreateScheduleAsync(request));
        request = Creation();
        request.Schedule.Action.StartWorkflow.WorkflowIdReusePolicy = Temporalio.Api.Enums.V1.WorkflowIdReusePolicy.RejectDuplicate;
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.CreateScheduleAsync(request));
        request = Creation();
        request.Schedule.Spec.StructuredCalendar[0].Hour.Add(new Temporalio.Api.Schedule.V1.Range { Start = 24 });
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => Calls.CreateScheduleAsync(request));
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => Calls.DescribeScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId }));
    }

    [Fact]
    public async Task Shows_when_one_with_jitter_acts_next_though_it_was_never_updated()
    {
        var request = Creation();
        request.Schedule.Spec = new ScheduleSpec { Interval = { new IntervalSpec { Interval = Duration.FromTimeSpan(TimeSpan.FromDays(1)) } }, Jitter = Duration.FromTimeSpan(TimeSpan.FromSeconds(80)) };
        request.Schedule.State = new() { Paused = true };
        await Calls.CreateScheduleAsync(request);
        var described = await Calls.DescribeScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId });
        Assert.Equal(10, described.Info.FutureActionTimes.Count);
        Assert.All(described.Info.FutureActionTimes, time => Assert.InRange(time.ToDateTimeOffset().TimeOfDay, TimeSpan.Zero, TimeSpan.FromSeconds(80)));
        await Wait.UntilAsync(async () => (await Calls.ListSchedulesAsync(new() { Namespace = "default", MaximumPageSize = 1000 })).Schedules
            .SingleOrDefault(s => s.ScheduleId == request.ScheduleId)?.Info.FutureActionTimes.Count > 0);
        await Calls.DeleteScheduleAsync(new() { Namespace = "default", ScheduleId = request.ScheduleId });
    }

    private static CreateScheduleRequest Creation()
    {
        var id = Guid.NewGuid().ToString();
        return new CreateScheduleRequest
        {
            Namespace = "default",
            ScheduleId = "calls-" + id,
            RequestId = id,
            Schedule = new Schedule
            {
                Spec = new ScheduleSpec { StructuredCalendar = { new StructuredCalendarSpec { Year = { new Temporalio.Api.Schedule.V1.Range { Start = 2099 } } } } },
                Action = new ScheduleAction { StartWorkflow = new() { WorkflowId = "of-" + id, WorkflowType = new() { Name = "Any" }, TaskQueue = new() { Name = "nobody" } } },
            },
        };
    }
}
