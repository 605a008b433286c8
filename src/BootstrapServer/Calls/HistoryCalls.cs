using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Reading histories: forwards, backwards, and waiting for what comes next.</summary>
internal sealed class HistoryCalls(Engine engine) : IProtocolCalls
{
    private const int LargestPage = 1000;

    public string Service => WorkflowServiceName.Name;

    public async Task<GetWorkflowExecutionHistoryResponse> GetWorkflowExecutionHistory(GetWorkflowExecutionHistoryRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Execution(request.Execution);
        var page = request.NextPageToken.IsEmpty ? null : HistoryPage.Decode(request.NextPageToken);
        var target = request.Execution.Clone();
        if (page is not null)
        {
            if (target.RunId.Length > 0 && target.RunId != page.RunId)
                throw ServiceError.InvalidArgument("RunId in the request does not match the NextPageToken.");
            target.RunId = page.RunId;
        }
        var run = engine.Find(ns, target);
        page ??= new HistoryPage(run.RunId, 1, 0);
        return request.HistoryEventFilterType == HistoryEventFilterType.CloseEvent
            ? await ReadCloseEventAsync(run, page, request, context)
            : await ReadAsync(run, page, request, context);
    }

    public async Task<GetWorkflowExecutionHistoryReverseResponse> GetWorkflowExecutionHistoryReverse(GetWorkflowExecutionHistoryReverseRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Execution(request.Execution);
        var page = request.NextPageToken.IsEmpty ? null : HistoryPage.Decode(request.NextPageToken);
        var target = request.Execution.Clone();
        target.RunId = page?.RunId ?? target.RunId;
        var run = engine.Find(ns, target);
        var (next, _) = Extent(run);
        await engine.Store.Flushed();
        var before = page?.Next ?? next;
        var from = Math.Max(1, before - PageSize(request.MaximumPageSize));
        var response = new GetWorkflowExecutionHistoryReverseResponse { History = new History() };
        response.History.Events.AddRange(engine.Histories.Read(run.Key, from, before).OrderByDescending(e => e.EventId));
        if (from > 1)
            response.NextPageToken = new HistoryPage(run.RunId, from, 0).Encode();
        return response;
    }

    private async Task<GetWorkflowExecutionHistoryResponse> ReadAsync(WorkflowRun run, HistoryPage page, GetWorkflowExecutionHistoryRequest request, ServerCallContext context)
    {
        var (next, open) = Extent(run);
        if (request.WaitNewEvent && page.End == 0 && page.Next >= next && open)
        {
            await WaitForNewsAsync(run, page.Next, context);
            (next, open) = Extent(run);
        }
        await engine.Store.Flushed();
        var end = page.End != 0 ? page.End : next;
        var (events, reached) = engine.Histories.ReadPage(run.Key, page.Next, end, PageSize(request.MaximumPageSize));
        var response = new GetWorkflowExecutionHistoryResponse { History = new History() };
        response.History.Events.AddRange(events);
        if (reached < end)
            response.NextPageToken = (page with { Next = reached, End = request.WaitNewEvent ? page.End : end }).Encode();
        else if (request.WaitNewEvent && open && page.End == 0)
            response.NextPageToken = (page with { Next = reached }).Encode();
        else
            response.History.Events.AddRange(EventsOutsideHistory(run, page));
        return response;
    }

    private async Task<GetWorkflowExecutionHistoryResponse> ReadCloseEventAsync(WorkflowRun run, HistoryPage page, GetWorkflowExecutionHistoryRequest request, ServerCallContext context)
    {
        if (request.WaitNewEvent)
        {
            var deadline = TimeProvider.System.GetTimestamp();
            var patience = RequestChecks.Patience(context);
            while (Extent(run) is (var seen, true) && patience - TimeProvider.System.GetElapsedTime(deadline) is { Ticks: > 0 } left)
                await WaitAsync(run, seen, left, context.CancellationToken);
        }
        var (next, open) = Extent(run);
        await engine.Store.Flushed();
        var response = new GetWorkflowExecutionHistoryResponse { History = new History() };
        if (request.WaitNewEvent && open)
            response.NextPageToken = page.Encode();
        else
            response.History.Events.AddRange(engine.Histories.Read(run.Key, next - 1, next));
        return response;
    }

    private static Task WaitForNewsAsync(WorkflowRun run, long from, ServerCallContext context) =>
        WaitAsync(run, from, RequestChecks.Patience(context), context.CancellationToken);

    private static async Task WaitAsync(WorkflowRun run, long from, TimeSpan patience, CancellationToken ct)
    {
        Task news;
        lock (run.Gate)
        {
            if (!run.IsOpen || run.Events.NextEventId > from)
                return;
            news = run.NewEvents();
        }
        try
        {
            await news.WaitAsync(patience, ct);
        }
        catch (TimeoutException)
        {
            // Nothing new is an answer: the caller asks again.
        }
    }

    /// <summary>The id of the next event, and whether there will be one.</summary>
    private static (long Next, bool Open) Extent(WorkflowRun run)
    {
        lock (run.Gate)
            return (run.Events.NextEventId, run.IsOpen);
    }

    /// <summary>The end of a long history that a worker reads for a task which is not in history itself.</summary>
    private static List<HistoryEvent> EventsOutsideHistory(WorkflowRun run, HistoryPage page)
    {
        if (page.TaskStartedEventId == 0)
            return [];
        lock (run.Gate)
            return run.WorkflowTasks.Current.StartedEventId == page.TaskStartedEventId ? run.WorkflowTasks.EventsOutsideHistory() : [];
    }

    private static int PageSize(int asked) => asked is > 0 and <= LargestPage ? asked : LargestPage;
}
