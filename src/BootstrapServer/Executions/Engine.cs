using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions.Callbacks;
using PlatformOps.BootstrapServer.Executions.Deleting;
using PlatformOps.BootstrapServer.Executions.Resetting;
using PlatformOps.BootstrapServer.Executions.Starting;
using PlatformOps.BootstrapServer.Executions.Talking;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Schedules;
using PlatformOps.BootstrapServer.SearchAttributeTypes;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Timers;
using PlatformOps.BootstrapServer.Visibility;
using Temporalio.Api.Common.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Sdk.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>All runs in memory, and what they share: store, clock, timers, task queues. Open runs are in memory, closed ones in the store.</summary>
internal sealed class Engine : IDisposable
{
    private readonly ConcurrentDictionary<RunName, WorkflowRun> runs = new();
    private readonly ConcurrentDictionary<(string NamespaceId, string WorkflowId), WorkflowSlot> slots = new();
    private readonly ILogger<Engine> log;

    public Engine(IStore store, TimeProvider clock, BootstrapServerOptions options, NamespaceDirectory namespaces, MatchingEngine matching, SearchAttributeRegistry searchAttributes, VisibilityIndex visibility, ILogger<Engine> log)
    {
        this.log = log;
        Store = store;
        Clock = clock;
        Limits = options.Limits;
        Namespaces = namespaces;
        Matching = matching;
        SearchAttributes = searchAttributes;
        Visibility = new VisibilityFeed(visibility);
        OnTheWay = clock is VirtualClock ? new WorkOnTheWay() : null;
        Timers = new TimerQueue(clock, OnTheWay, e => log.LogError(e, "A timer's action failed"));
        Skipper = clock is VirtualClock skipping ? new TimeSkipper(skipping, Timers, OnTheWay!, matching, e => log.LogError(e, "Skipping time failed")) : null;
        Histories = new Histories(store);
        Successors = new Successors(this);
        Starter = new WorkflowStarter(this);
        ChildStarter = new ChildStarter(this);
        ExternalRequests = new ExternalRequests(this);
        ClosingNews = new ClosingNews(this);
        Deleter = new RunDeleter(this);
        Resetter = new WorkflowResetter(this);
        CallbackSender = new CallbackSender(this);
        Schedules = new ScheduleDirectory(this);
        Deployments = new DeploymentDirectory(this);
        matching.Connect(Timers, clock, Deployments.RouteOf);
        IdleRuns = new IdleRuns(this, options.RunsInMemory);
    }

    public IStore Store { get; }

    public TimeProvider Clock { get; }

    public ServerLimits Limits { get; }

    public TimerQueue Timers { get; }

    /// <summary>Null when time goes with the wall clock.</summary>
    public TimeSkipper? Skipper { get; }

    /// <summary>What keeps time from being skipped until it is done; null when time goes with the wall clock.</summary>
    public WorkOnTheWay? OnTheWay { get; }

    public MatchingEngine Matching { get; }

    public NamespaceDirectory Namespaces { get; }

    public VisibilityFeed Visibility { get; }

    public SearchAttributeRegistry SearchAttributes { get; }

    public Histories Histories { get; }

    public Successors Successors { get; }

    public WorkflowStarter Starter { get; }

    public ChildStarter ChildStarter { get; }

    public ExternalRequests ExternalRequests { get; }

    public ClosingNews ClosingNews { get; }

    public RunDeleter Deleter { get; }

    public WorkflowResetter Resetter { get; }

    public CallbackSender CallbackSender { get; }

    public ScheduleDirectory Schedules { get; }

    public DeploymentDirectory Deployments { get; }

    /// <summary>Which open runs are in memory with all that is known of them.</summary>
    public IdleRuns IdleRuns { get; }

    public IEnumerable<WorkflowRun> OpenRuns => runs.Values.Where(r => r.IsOpen);

    /// <summary>Lets work go on that nobody awaits; what goes wrong with it is logged, not lost.</summary>
    public void Background(Task work)
    {
        if (!work.IsCompletedSuccessfully)
            _ = FinishAsync(work, OnTheWay?.Begin());
    }

    /// <summary>Loads open runs and resumes them. Called once, before the first call is answered.</summary>
    public async Task RecoverAsync()
    {
        // Neither timers nor what follows for others may find a run that is not there yet.
        var effects = new ConcurrentBag<(long Key, List<Action> Effects)>();
        try
        {
            Parallel.ForEach(Store.OpenRuns().Concat(Store.ClosedRunsWithOutgoing()), recovered =>
            {
                if (Namespaces.FindById(recovered.Run.Name.NamespaceId) is { } ns && Recover(Read(ns, recovered.Run, recovered.Rows)) is { Count: > 0 } follows)
                    effects.Add((recovered.Run.Key, follows));
            });
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]); // one damaged run is enough to say so
        }
        Timers.Start();
        // Whose task was queued first gets a worker first.
        foreach (var effect in effects.OrderBy(e => e.Key).SelectMany(e => e.Effects))
            effect();
        await Deployments.RecoverAsync();
        await Schedules.RecoverAsync();
        await Store.Flushed();
    }

    /// <summary>Makes a run in memory, with its started event. Nobody else sees it before <see cref="Publish"/>.</summary>
    public WorkflowRun Create(Namespace ns, string workflowId, string runId, WorkflowExecutionStartedEventAttributes start, string requestId, UserMetadata? metadata, IEnumerable<Link>? links = null)
    {
        var now = Clock.GetUtcNow();
        var state = new RunState { StartTime = now, StartRequestId = requestId, Memo = start.Memo, SearchAttributes = start.SearchAttributes, UserMetadata = metadata, Priority = start.Priority, Versioning = VersionInheritance.AtStart(start) };
        state.ResetPoints = AutoResetPoints.Inherit(start, now, ns.Retention);
        var delay = start.FirstWorkflowTaskBackoff?.ToTimeSpan() ?? TimeSpan.Zero;
        if (delay > TimeSpan.Zero)
            state.FirstTaskAt = now + delay;
        var run = new WorkflowRun(this, ns, new RunName(ns.Id, workflowId, runId), Store.NextRunKey(), Kept(start), state);
        var item = new HistoryEvent { EventTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(now), WorkflowExecutionStartedEventAttributes = start, UserMetadata = metadata };
        item.Links.AddRange(links ?? []);
        run.Events.Add(Temporalio.Api.Enums.V1.EventType.WorkflowExecutionStarted, item);
        run.Callbacks.Attach(requestId, start.CompletionCallbacks);
        run.WatchTimeouts();
        return run;
    }

    /// <summary>What memory keeps of a start: all but what only the workflow itself needs, which history has.</summary>
    public static WorkflowExecutionStartedEventAttributes Kept(WorkflowExecutionStartedEventAttributes start)
    {
        var kept = start.Clone();
        kept.Input = null;
        kept.Header = null;
        kept.LastCompletionResult = null;
        kept.ContinuedFailure = null;
        kept.PrevAutoResetPoints = null;
        kept.CompletionCallbacks.Clear();
        return kept;
    }

    /// <summary>Makes a committed run visible, and lets its first effects happen.</summary>
    public void Publish(WorkflowRun run)
    {
        runs[run.Name] = run;
        var slot = Slot(run.Name.NamespaceId, run.WorkflowId);
        lock (slot.Gate)
        {
            if (slot.Current is null || slot.Current.Key < run.Key)
                slot.Current = run;
        }
        List<Action> effects;
        lock (run.Gate)
            effects = run.TakeEffects();
        foreach (var effect in effects)
            effect();
    }

    /// <summary>The lock and the latest run of a workflow id.</summary>
    public WorkflowSlot Slot(string namespaceId, string workflowId) => slots.GetOrAdd((namespaceId, workflowId), _ => new WorkflowSlot());

    /// <summary>The latest run of a workflow id, open or closed; null when there was never one, or it is deleted.</summary>
    public WorkflowRun? FindLatest(Namespace ns, string workflowId)
    {
        if (slots.TryGetValue((ns.Id, workflowId), out var slot) && slot.Latest() is { } current)
            return current;
        return Store.FindLatest(ns.Id, workflowId) is { } stored ? Loaded(stored) : null;
    }

    /// <summary>A run by workflow id and run id; without a run id the latest.</summary>
    /// <exception cref="Grpc.Core.RpcException">NOT_FOUND when there is none; INVALID_ARGUMENT for ids that cannot be.</exception>
    public WorkflowRun Find(Namespace ns, WorkflowExecution? execution)
    {
        if (execution is null || execution.WorkflowId.Length == 0)
            throw ServiceError.InvalidArgument("WorkflowId is not set on request.");
        if (execution.RunId.Length > 0 && !Guid.TryParse(execution.RunId, out _))
            throw ServiceError.InvalidArgument("Invalid RunId.");
        return TryFind(ns, execution.WorkflowId, execution.RunId)
            ?? throw ServiceError.NotFound(execution.RunId.Length == 0
                ? $"workflow not found for ID: {execution.WorkflowId}"
                : $"workflow execution not found for workflow ID \"{execution.WorkflowId}\" and run ID \"{execution.RunId}\"");
    }

    /// <summary>A run that is in memory; null when it is not, or does not exist.</summary>
    public WorkflowRun? InMemory(RunName name) => runs.GetValueOrDefault(name);

    /// <summary>True for a run that was deleted. Only of one that is open, or still owes something: others leave memory too.</summary>
    public bool IsDeleted(WorkflowRun run) => InMemory(run.Name) != run;

    public WorkflowRun? TryFind(Namespace ns, string workflowId, string runId)
    {
        if (runId.Length == 0)
            return FindLatest(ns, workflowId);
        var name = new RunName(ns.Id, workflowId, runId);
        if (runs.TryGetValue(name, out var run))
            return run;
        return Store.Find(name) is { } stored ? Loaded(stored) : null;
    }

    /// <summary>A run closed: once that is durable and it owes nothing, its memory can go.</summary>
    public void Closed(WorkflowRun run) => run.After(() => Background(ForgetWhenDoneAsync(run)));

    public async Task ForgetWhenDoneAsync(WorkflowRun run)
    {
        await Store.Flushed();
        Visibility.Stored(run);
        lock (run.Gate)
        {
            if (run.IsOpen || run.Outgoing.Any)
                return;
        }
        LeaveMemory(run);
    }

    /// <summary>A run is gone from the store: memory lets go of it too.</summary>
    public void Forget(WorkflowRun run)
    {
        Visibility.Remove(run);
        LeaveMemory(run);
    }

    public void Dispose()
    {
        IdleRuns.Dispose();
        Skipper?.Dispose();
        Timers.Dispose();
        CallbackSender.Dispose();
    }

    private void LeaveMemory(WorkflowRun run)
    {
        IdleRuns.Remove(run);
        runs.TryRemove(run.Name, out _);
        if (!slots.TryGetValue((run.Name.NamespaceId, run.WorkflowId), out var slot))
            return;
        lock (slot.Gate)
        {
            if (slot.Current != run)
                return;
            slot.Removed = true;
            slots.TryRemove((run.Name.NamespaceId, run.WorkflowId), out _);
        }
    }

    private List<Action> Recover(WorkflowRun run)
    {
        runs[run.Name] = run;
        lock (run.Gate)
        {
            if (run.IsOpen)
            {
                slots[(run.Name.NamespaceId, run.WorkflowId)] = new WorkflowSlot { Current = run };
                Visibility.Record(run, always: true);
            }
            run.Resume();
            Background(run.Commit(new Transaction()));
            var follows = run.TakeEffects();
            IdleRuns.Recovered(run);
            return follows;
        }
    }

    /// <exception cref="StorageException">What is stored of the run cannot be read.</exception>
    private WorkflowRun Read(Namespace ns, StoredRun stored, IReadOnlyList<StoredRow> rows)
    {
        try
        {
            return new WorkflowRun(this, ns, stored, rows);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or JsonException or FormatException or InvalidDataException)
        {
            throw new StorageException($"Run {stored.Name.RunId} of workflow {stored.Name.WorkflowId} is damaged in the database file: {e.Message} Restore the file from a copy, or start with another one.", e);
        }
    }

    private WorkflowRun? Loaded(StoredRun stored) => runs.TryGetValue(stored.Name, out var run) ? run : Restore(stored);

    private WorkflowRun? Restore(StoredRun stored)
    {
        if (Namespaces.FindById(stored.Name.NamespaceId) is not { } ns)
            return null; // its namespace was deleted; the run goes with retention
        return Read(ns, stored, Store.Rows(stored.Key));
    }

    private async Task FinishAsync(Task work, IDisposable? onTheWay)
    {
        try
        {
            await work;
        }
        catch (Exception e)
        {
            log.LogError(e, "Work in the background failed");
        }
        finally
        {
            onTheWay?.Dispose();
        }
    }
}

/// <summary>One workflow id: its lock decides between starts, and it knows the latest run while that is in memory.</summary>
internal sealed class WorkflowSlot
{
    public Lock Gate { get; } = new();

    public WorkflowRun? Current { get; set; }

    /// <summary>The slot left the directory while somebody waited for its lock: that one asks for a new slot.</summary>
    public bool Removed { get; set; }

    /// <summary>The latest run, also when its publication is still on its way.</summary>
    public WorkflowRun? Latest()
    {
        var run = Current;
        while (run?.Successor is { } successor)
            run = successor;
        return run;
    }
}
