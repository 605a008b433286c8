using Microsoft.Extensions.Time.Testing;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;

namespace PlatformOps.BootstrapServer.Tests.Schedules;

/// <summary>What a schedule does as time goes by, with a clock that goes as the test says.</summary>
public sealed class ScheduleClockTests : IAsyncLifetime
{
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));
    private BootstrapServerHost server = null!;
    private ITemporalClient client = null!;

    public async ValueTask InitializeAsync()
    {
        server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { TimeProvider = clock }, TestContext.Current.CancellationToken);
        client = await TemporalClient.ConnectAsync(new(server.Address));
    }

    [Fact]
    public async Task A_new_specification_counts_from_its_update()
    {
        var handle = await CreateAsync(new() { Calendars = [new() { Year = [new(2099)] }] }, new() { Overlap = ScheduleOverlapPolicy.AllowAll });
        clock.Advance(TimeSpan.FromHours(1));
        await handle.UpdateAsync(input => new ScheduleUpdate(input.Description.Schedule with { Spec = Minutely }));
        var updated = await handle.DescribeAsync();
        Assert.Equal((0, 0), (updated.Info.NumActions, updated.Info.NumActionsMissedCatchupWindow));
        Assert.Equal(new DateTime(2026, 3, 1, 1, 1, 0, DateTimeKind.Utc), updated.Info.NextActionTimes.First());
        clock.Advance(TimeSpan.FromMinutes(1));
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActions == 1);
    }

    [Fact]
    public async Task An_action_that_is_skipped_does_not_use_up_the_limit()
    {
        var handle = await CreateAsync(Minutely, new() { Overlap = ScheduleOverlapPolicy.Skip }, new() { LimitedActions = true, RemainingActions = 2 });
        Assert.Equal(2, (await handle.DescribeAsync()).Info.NextActionTimes.Count);
        clock.Advance(TimeSpan.FromMinutes(1));
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Schedule.State.RemainingActions == 1);
        clock.Advance(TimeSpan.FromMinutes(2));
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActionsSkippedOverlap == 2);
        Assert.Equal(1, (await handle.DescribeAsync()).Schedule.State.RemainingActions);
        Assert.Equal(1, (await handle.DescribeAsync()).Info.NumActions);
    }

    [Fact]
    public async Task A_buffered_action_is_dropped_when_the_schedule_is_paused_at_its_turn()
    {
        var handle = await CreateAsync(Minutely, new() { Overlap = ScheduleOverlapPolicy.BufferAll });
        clock.Advance(TimeSpan.FromMinutes(1));
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActions == 1);
        clock.Advance(TimeSpan.FromMinutes(3));
        await Wait.UntilAsync(async () => (await DescribeAsync(handle)).Info.BufferSize == 3);
        await handle.PauseAsync("stop");
        await client.GetWorkflowHandle((await DescribeAsync(handle)).Info.RunningWorkflows.Single().WorkflowId).TerminateAsync();
        await Wait.UntilAsync(async () => (await DescribeAsync(handle)).Info.BufferSize == 0);
        Assert.Equal(1, (await handle.DescribeAsync()).Info.NumActions);
        await handle.TriggerAsync();
        await Wait.UntilAsync(async () => (await handle.DescribeAsync()).Info.NumActions == 2);
    }

    [Fact]
    public async Task A_long_backfill_that_may_overlap_goes_on_by_itself()
    {
        var handle = await CreateAsync(new() { Intervals = [new(TimeSpan.FromHours(1))] });
        var from = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await handle.BackfillAsync([new(from, from.AddHours(24), ScheduleOverlapPolicy.AllowAll)]);
        await Wait.UntilAsync(async () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return (await handle.DescribeAsync()).Info.NumActions >= 25;
        });
        Assert.Equal(25, (await client.CountWorkflowsAsync($"TemporalScheduledById = '{handle.Id}' AND TemporalScheduledStartTime < '2026-02-01T00:00:00Z'")).Count);
    }

    [Fact]
    public async Task A_schedule_that_will_never_act_again_is_deleted_after_a_week()
    {
        var past = new ScheduleSpec { Calendars = [new() { Year = [new(2020)] }] };
        var over = await CreateAsync(past);
        var paused = await CreateAsync(past, state: new() { Paused = true });
        var future = await CreateAsync(new() { Calendars = [new() { Year = [new(2099)] }] });
        clock.Advance(TimeSpan.FromDays(6));
        await over.DescribeAsync();
        clock.Advance(TimeSpan.FromDays(2));
        await Wait.UntilAsync(() => Wait.FailsAsync(() => over.DescribeAsync()));
        await paused.DescribeAsync();
        await future.DescribeAsync();
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private static ScheduleSpec Minutely => new() { Intervals = [new(TimeSpan.FromMinutes(1))] };

    private Task<ScheduleHandle> CreateAsync(ScheduleSpec spec, SchedulePolicy? policy = null, ScheduleState? state = null) => client.CreateScheduleAsync(
        "s-" + Guid.NewGuid(),
        new(ScheduleActionStartWorkflow.Create((WaitingWorkflow w) => w.RunAsync(), new(id: "of-" + Guid.NewGuid(), taskQueue: "nobody")), spec) { Policy = policy ?? new(), State = state ?? new() });

    private Task<Temporalio.Api.WorkflowService.V1.DescribeScheduleResponse> DescribeAsync(ScheduleHandle handle) =>
        client.WorkflowService.DescribeScheduleAsync(new() { Namespace = "default", ScheduleId = handle.Id });
}
