using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.Platform.Bootstrap;
using Temporalio.Api.Schedule.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Bootstrap;

/// <summary>The schedules of ours in a cluster. They are copied as the server keeps them, so that nothing of them is lost that this program does not know.</summary>
internal sealed class BootstrapSchedules(ITemporalClient client, StandingWork work)
{
    private const int PageSize = 100;

    /// <summary>The server's, where a schedule has none of its own.</summary>
    private static readonly TimeSpan DefaultCatchUp = TimeSpan.FromDays(365);

    private string Space => client.Options.Namespace;

    public async Task<IReadOnlyList<StandingSchedule>> ListAsync(CancellationToken ct)
    {
        var found = new List<StandingSchedule>();
        var token = ByteString.Empty;
        do
        {
            var page = await client.WorkflowService.ListSchedulesAsync(new() { Namespace = Space, MaximumPageSize = PageSize, NextPageToken = token }, BootstrapCluster.Rpc(ct));
            found.AddRange(page.Schedules.Where(entry => work.Types.Contains(entry.Info.WorkflowType?.Name ?? ""))
                .Select(entry => new StandingSchedule(entry.ScheduleId, entry.Info.Paused, PivotMark.Read(entry.Info.Notes).Mark)));
            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        return [.. found.OrderBy(schedule => schedule.Id, StringComparer.Ordinal)];
    }

    /// <summary>Pauses it and marks it; one that carries the mark already is left as it is.</summary>
    public async Task HoldAsync(string id, PivotMark mark, CancellationToken ct)
    {
        if (await FindAsync(id, ct) is not { } live)
            return;
        var (known, note) = PivotMark.Read(live.Schedule.State.Notes);
        if (known?.PivotId != mark.PivotId)
            await PatchAsync(id, live, mark, new() { Pause = mark.Before(note) }, ct);
    }

    public async Task CopyAsync(BootstrapSchedules source, string id, CancellationToken ct)
    {
        if (await source.FindAsync(id, ct) is not { } live || PivotMark.Read(live.Schedule.State.Notes) is not { Mark: { } mark } read)
            return;
        live.Schedule.State.Notes = (mark with { Taken = Acted(live) }).Before(read.Note);
        try
        {
            await client.WorkflowService.CreateScheduleAsync(
                new()
                {
                    Namespace = Space,
                    ScheduleId = id,
                    Schedule = live.Schedule,
                    Memo = live.Memo,
                    SearchAttributes = live.SearchAttributes,
                    RequestId = $"{mark.PivotId}-{id}",
                },
                BootstrapCluster.Rpc(ct));
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.AlreadyExists)
        {
            // An attempt before this one did.
        }
    }

    /// <summary>Takes the mark off in one call with what it is worth: who dies here has done both or nothing, so that nothing is made up for twice.</summary>
    public async Task ReleaseAsync(StandingSchedule schedule, DateTimeOffset? since, DateTimeOffset now, CancellationToken ct)
    {
        if (await FindAsync(schedule.Id, ct) is not { } live || PivotMark.Read(live.Schedule.State.Notes) is not { Mark: { } mark } read || mark != schedule.Mark)
            return;
        var note = read.Note.Length > 0 ? read.Note : $"{mark.PivotId} has moved or held it.";
        var patch = mark.Runs ? new SchedulePatch { Unpause = note } : new() { Pause = note };
        var spent = live.Schedule.State is { LimitedActions: true, RemainingActions: 0 };
        if (!spent && mark.Missed(since, Acted(live), live.Schedule.Policies?.CatchupWindow?.ToTimeSpan() ?? DefaultCatchUp, now) is { } from)
            patch.BackfillRequest.Add(new BackfillRequest { StartTime = from.ToTimestamp(), EndTime = now.ToTimestamp() });
        await PatchAsync(schedule.Id, live, mark, patch, ct);
    }

    public async Task RemoveAsync(StandingSchedule schedule, CancellationToken ct)
    {
        if (await FindAsync(schedule.Id, ct) is not { } live || PivotMark.Read(live.Schedule.State.Notes).Mark != schedule.Mark)
            return;
        try
        {
            await client.WorkflowService.DeleteScheduleAsync(new() { Namespace = Space, ScheduleId = schedule.Id }, BootstrapCluster.Rpc(ct));
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
        {
            // It is gone.
        }
    }

    private async Task<DescribeScheduleResponse?> FindAsync(string id, CancellationToken ct)
    {
        try
        {
            return await client.WorkflowService.DescribeScheduleAsync(new() { Namespace = Space, ScheduleId = id }, BootstrapCluster.Rpc(ct));
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    private static DateTimeOffset? Acted(DescribeScheduleResponse live) => live.Info.RecentActions.Max(action => action.ScheduleTime)?.ToDateTimeOffset();

    /// <summary>Two who saw the same and do the same ask for the same.</summary>
    private Task PatchAsync(string id, DescribeScheduleResponse seen, PivotMark mark, SchedulePatch patch, CancellationToken ct) => client.WorkflowService.PatchScheduleAsync(
        new() { Namespace = Space, ScheduleId = id, Patch = patch, RequestId = $"{mark.PivotId}-{id}-{Convert.ToHexStringLower(seen.ConflictToken.Span)}" }, BootstrapCluster.Rpc(ct));
}
