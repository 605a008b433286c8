using System.Collections.Concurrent;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>All schedules, in memory and in the store.</summary>
internal sealed class ScheduleDirectory(Engine engine)
{
    private const string DocumentKind = "schedule";

    /// <summary>How long a schedule is kept that will never act again, as on the real server.</summary>
    private static readonly TimeSpan IdleRetention = TimeSpan.FromDays(7);

    private readonly ConcurrentDictionary<(string NamespaceId, string ScheduleId), LiveSchedule> schedules = new();

    public IEnumerable<LiveSchedule> Of(Namespace ns) =>
        schedules.Values.Where(s => s.Namespace.Id == ns.Id).OrderBy(s => s.State.ScheduleId, StringComparer.Ordinal);

    /// <exception cref="Grpc.Core.RpcException">NOT_FOUND when there is none of that id.</exception>
    public LiveSchedule Get(Namespace ns, string scheduleId) => schedules.GetValueOrDefault((ns.Id, scheduleId))
        ?? throw ServiceError.NotFound($"schedule not found for ID: {scheduleId}");

    /// <summary>Adds a schedule; the same request again finds the one that it added.</summary>
    /// <exception cref="Grpc.Core.RpcException">ALREADY_EXISTS when another request added one of that id.</exception>
    public async Task<LiveSchedule> CreateAsync(Namespace ns, StoredSchedule state, Action<LiveSchedule> first)
    {
        var created = new LiveSchedule(this, engine, ns, state);
        var found = schedules.GetOrAdd((ns.Id, state.ScheduleId), created);
        if (found == created)
        {
            await created.ChangeAsync(() => first(created));
            return created;
        }
        created.Dispose();
        return found.State.CreateRequestId == state.CreateRequestId
            ? found
            : throw ServiceError.AlreadyStarted($"schedule \"{state.ScheduleId}\" is already registered", found.State.CreateRequestId, "", "");
    }

    public async Task DeleteAsync(LiveSchedule schedule)
    {
        await schedule.DeleteAsync();
        schedules.TryRemove((schedule.Namespace.Id, schedule.State.ScheduleId), out _);
        await CommitAsync(schedule.State, null);
    }

    /// <summary>Deletes schedules that have had nothing left to do for long.</summary>
    public async Task DeleteIdleAsync()
    {
        foreach (var schedule in schedules.Values)
        {
            DateTimeOffset? idle = null;
            await schedule.LookAsync(_ => idle = schedule.IdleSince());
            if (idle + IdleRetention <= engine.Clock.GetUtcNow())
                await DeleteAsync(schedule);
        }
    }

    public async Task DeleteAllAsync(Namespace ns)
    {
        foreach (var schedule in Of(ns).ToList())
            await DeleteAsync(schedule);
    }

    public Task SaveAsync(StoredSchedule state) => CommitAsync(state, StateSerializer.Write(state));

    /// <summary>A chain of runs ended. Called within the step that ends it.</summary>
    public void WorkflowEnded(WorkflowRun run, HistoryEvent close)
    {
        if (Owner(run) is { } schedule)
            run.After(() => engine.Background(schedule.EndedAsync(run, End(close))));
    }

    /// <summary>Loads schedules, notes what ended meanwhile, and acts on what became due.</summary>
    public async Task RecoverAsync()
    {
        foreach (var (_, data) in engine.Store.Documents(DocumentKind))
        {
            var state = StateSerializer.Read<StoredSchedule>(data);
            if (engine.Namespaces.FindById(state.NamespaceId) is { } ns)
                schedules[(ns.Id, state.ScheduleId)] = new LiveSchedule(this, engine, ns, state);
        }
        foreach (var schedule in schedules.Values)
        {
            await NoteEndsAsync(schedule);
            await schedule.TickAsync();
            // What it was about to start when the server stopped may have been started, and have ended.
            await NoteEndsAsync(schedule);
        }
    }

    /// <summary>Hears of workflows that ended while nobody could tell it.</summary>
    private async Task NoteEndsAsync(LiveSchedule schedule)
    {
        foreach (var running in schedule.State.Info.RunningWorkflows.ToList())
        {
            if (engine.FindLatest(schedule.Namespace, running.WorkflowId) is not { } run || run.Start.FirstExecutionRunId != running.RunId)
                await schedule.GoneAsync(running);
            else if (!run.IsOpen)
                await schedule.EndedAsync(run, End(engine.Histories.ReadEvent(run, run.State.CloseEventId)));
        }
    }

    private LiveSchedule? Owner(WorkflowRun run) =>
        run.State.SearchAttributes?.IndexedFields.TryGetValue(ScheduledStart.ScheduledById, out var id) == true
            && StateSerializer.Read<string>(id.Data.ToByteArray()) is var scheduleId
            ? schedules.GetValueOrDefault((run.Name.NamespaceId, scheduleId))
            : null;

    private static ScheduledEnd End(HistoryEvent close) => close.EventType switch
    {
        EventType.WorkflowExecutionCompleted => new ScheduledEnd(close.WorkflowExecutionCompletedEventAttributes.Result, null),
        EventType.WorkflowExecutionFailed => new ScheduledEnd(null, close.WorkflowExecutionFailedEventAttributes.Failure),
        _ => new ScheduledEnd(null, null),
    };

    private Task CommitAsync(StoredSchedule state, byte[]? data) => engine.Store.Commit(new Transaction
    {
        Documents = { new DocumentChange(DocumentKind, $"{state.NamespaceId}/{state.ScheduleId}", data) },
    });
}
