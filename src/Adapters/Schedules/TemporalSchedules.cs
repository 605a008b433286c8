using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.Adapters.Bootstrap;
using PlatformOps.Platform.Schedules;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Schedule.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Schedules;

/// <summary>The schedules of runbooks in a Temporal cluster. Each call has a timeout and is made once. Failures are the SDK's own.</summary>
/// <param name="client">Connected, with the namespace of the runbooks.</param>
public sealed class TemporalSchedules(ITemporalClient client)
{
    private const int PageSize = 100;

    private string Space => client.Options.Namespace;

    /// <summary>Every schedule that starts one of the runbooks that can be scheduled, in the order of ids.</summary>
    public async Task<IReadOnlyList<KeptSchedule>> ListAsync(CancellationToken ct)
    {
        var types = ScheduledRunbook.All.Select(runbook => runbook.WorkflowType).ToHashSet();
        var ids = new List<string>();
        var token = ByteString.Empty;
        do
        {
            var page = await client.WorkflowService.ListSchedulesAsync(new() { Namespace = Space, MaximumPageSize = PageSize, NextPageToken = token }, BootstrapCluster.Rpc(ct));
            ids.AddRange(page.Schedules.Where(entry => types.Contains(entry.Info.WorkflowType?.Name ?? "")).Select(entry => entry.ScheduleId));
            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        var found = new List<KeptSchedule>();
        foreach (var id in ids.Order(StringComparer.Ordinal))
        {
            // Lists may lag behind: one that is gone is no schedule.
            if (await FindAsync(id, ct) is { } schedule)
                found.Add(schedule);
        }

        return found;
    }

    /// <returns>Null when there is none.</returns>
    public async Task<KeptSchedule?> FindAsync(string id, CancellationToken ct)
    {
        try
        {
            var live = await client.WorkflowService.DescribeScheduleAsync(new() { Namespace = Space, ScheduleId = id }, BootstrapCluster.Rpc(ct));
            var start = live.Schedule.Action.StartWorkflow;
            var converter = Converter(start.WorkflowId);
            var form = ScheduleMessages.FormOf(live.Schedule, await InputAsync(converter, start.Input));
            var mark = start.Memo?.Fields.GetValueOrDefault(ScheduleMessages.Mark) is { } payload ? await converter.ToValueAsync<string>(payload) : null;
            return new(new(id, form, mark), live);
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Creates a schedule, or makes one that was found what it is to be; whether it is paused, its note and how often it may still run stay as they are.</summary>
    /// <param name="seen">As it was found; null: there was none.</param>
    /// <param name="declaredBy">The environment whose specification declares it; null: it is made by hand.</param>
    /// <returns>False when somebody else has created or changed it meanwhile: nothing was done.</returns>
    public async Task<bool> PutAsync(string id, KeptSchedule? seen, string environment, ScheduleSpecification wanted, string taskQueue, string? declaredBy, CancellationToken ct)
    {
        var form = ScheduleForm.Of(environment, wanted, taskQueue);
        var converter = Converter(form.RunId);
        var start = new NewWorkflowExecutionInfo
        {
            WorkflowId = form.RunId,
            WorkflowType = new() { Name = form.WorkflowType },
            TaskQueue = new() { Name = taskQueue },
            Input = new() { Payloads_ = { await converter.ToPayloadAsync(ScheduleForm.InputOf(environment, wanted)) } },
        };
        if (declaredBy is not null)
            start.Memo = new() { Fields = { [ScheduleMessages.Mark] = await converter.ToPayloadAsync(declaredBy) } };
        var schedule = ScheduleMessages.Of(wanted, start);
        try
        {
            if (seen is null)
            {
                schedule.State = new() { Notes = declaredBy is null ? "Made by hand with platformops." : $"Declared as schedules.{wanted.Name} in the specification of {environment}." };
                await client.WorkflowService.CreateScheduleAsync(new() { Namespace = Space, ScheduleId = id, Schedule = schedule, RequestId = Guid.NewGuid().ToString() }, BootstrapCluster.Rpc(ct));
                return true;
            }

            schedule.State = seen.Live.Schedule.State;
            await client.WorkflowService.UpdateScheduleAsync(
                new() { Namespace = Space, ScheduleId = id, Schedule = schedule, ConflictToken = seen.Live.ConflictToken, RequestId = $"{id}-{Convert.ToHexStringLower(seen.Live.ConflictToken.Span)}" }, BootstrapCluster.Rpc(ct));
            return true;
        }
        catch (RpcException failure) when (failure.Code is RpcException.StatusCode.AlreadyExists or RpcException.StatusCode.FailedPrecondition or RpcException.StatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Removes a schedule; what it has started goes on.</summary>
    public async Task RemoveAsync(string id, CancellationToken ct)
    {
        try
        {
            await client.WorkflowService.DeleteScheduleAsync(new() { Namespace = Space, ScheduleId = id }, BootstrapCluster.Rpc(ct));
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
        {
            // It is gone.
        }
    }

    /// <summary>Starts a run now, if none goes on.</summary>
    public Task TriggerAsync(string id, CancellationToken ct) => PatchAsync(id, new() { TriggerImmediately = new() { OverlapPolicy = ScheduleOverlapPolicy.Skip } }, ct);

    public Task PauseAsync(string id, string note, CancellationToken ct) => PatchAsync(id, new() { Pause = note }, ct);

    public Task ResumeAsync(string id, string note, CancellationToken ct) => PatchAsync(id, new() { Unpause = note }, ct);

    /// <summary>Makes up for the runs that were due from one time to another, one after the other.</summary>
    public Task BackfillAsync(string id, DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => PatchAsync(
        id, new() { BackfillRequest = { new BackfillRequest { StartTime = from.ToTimestamp(), EndTime = to.ToTimestamp(), OverlapPolicy = ScheduleOverlapPolicy.BufferAll } } }, ct);

    /// <remarks>Each call is somebody's wish of its own: two triggers are meant twice. The id is for the repetitions on the wire.</remarks>
    private Task PatchAsync(string id, SchedulePatch patch, CancellationToken ct) => client.WorkflowService.PatchScheduleAsync(
        new() { Namespace = Space, ScheduleId = id, Patch = patch, RequestId = Guid.NewGuid().ToString() }, BootstrapCluster.Rpc(ct));

    private DataConverter Converter(string workflowId) => client.Options.DataConverter.WithSerializationContext(new ISerializationContext.Workflow(Space, workflowId));

    private static async Task<JsonElement?> InputAsync(DataConverter converter, Payloads? input)
    {
        if (input?.Payloads_ is not [var payload])
            return null;
        try
        {
            return await converter.ToValueAsync<JsonElement>(payload);
        }
        catch (Exception failure) when (failure is ArgumentException or JsonException)
        {
            // Somebody else's: it will not be as declared.
            return null;
        }
    }
}

/// <summary>A schedule as it stands in the cluster.</summary>
public sealed record KeptSchedule
{
    internal KeptSchedule(FoundSchedule found, Temporalio.Api.WorkflowService.V1.DescribeScheduleResponse live) => (Found, Live) = (found, live);

    /// <summary>What can be compared with a specification.</summary>
    public FoundSchedule Found { get; }

    public bool Paused => Live.Schedule.State.Paused;

    /// <summary>Why it is paused, or what somebody left there.</summary>
    public string Note => Live.Schedule.State.Notes;

    /// <summary>How many runs it has started.</summary>
    public long Started => Live.Info.ActionCount;

    /// <summary>Runs that were missed for longer than its catch-up window.</summary>
    public long Missed => Live.Info.MissedCatchupWindow;

    /// <summary>Runs that were skipped because another one went on.</summary>
    public long Skipped => Live.Info.OverlapSkipped;

    /// <summary>Runs that were dropped because too many waited.</summary>
    public long Dropped => Live.Info.BufferDropped;

    /// <summary>What it started last, the latest first.</summary>
    public IReadOnlyList<StartedRun> Recent => [.. Live.Info.RecentActions.Reverse().Select(action => new StartedRun(
        action.ScheduleTime.ToDateTimeOffset(), action.ActualTime.ToDateTimeOffset(), action.StartWorkflowResult?.WorkflowId ?? "", action.StartWorkflowResult?.RunId ?? "",
        action.StartWorkflowStatus is WorkflowExecutionStatus.Unspecified ? null : action.StartWorkflowStatus.ToString()))];

    /// <summary>When it acts next; empty while nothing is to come.</summary>
    public IReadOnlyList<DateTimeOffset> Next => Paused ? [] : [.. Live.Info.FutureActionTimes.Select(time => time.ToDateTimeOffset())];

    internal Temporalio.Api.WorkflowService.V1.DescribeScheduleResponse Live { get; }
}

/// <summary>A run that a schedule has started.</summary>
/// <param name="Due">When it was due, before jitter.</param>
/// <param name="Status">How it stands or ended; null when the server does not say.</param>
public sealed record StartedRun(DateTimeOffset Due, DateTimeOffset Started, string WorkflowId, string RunId, string? Status);
