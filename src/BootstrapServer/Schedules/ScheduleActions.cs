using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>Does what a plan says: ends running workflows, starts new ones, and notes in the schedule what was done.</summary>
internal static class ScheduleActions
{
    private const int MostRecent = 10;

    /// <returns>True when an action was not taken, so that another may have its turn.</returns>
    public static async Task<bool> ActAsync(Engine engine, Namespace ns, StoredSchedule state, OverlapPlan plan)
    {
        state.Info.OverlapSkipped += plan.Skipped;
        state.Buffer = plan.Keep;
        foreach (var running in state.Info.RunningWorkflows.ToList())
        {
            if (engine.FindLatest(ns, running.WorkflowId) is not { } run || run.Start.FirstExecutionRunId != running.RunId)
                continue;
            if (plan.TerminateRunning)
                await run.StepAsync(() => Close(run, () => run.Closing.Terminate("terminated by schedule overlap policy", null, "temporal-scheduler")));
            else if (plan.CancelRunning)
                await run.StepAsync(() => Incoming.Cancel(run, "cancelled by schedule overlap policy", "temporal-scheduler", Guid.NewGuid().ToString()));
        }
        var taken = 0;
        foreach (var action in plan.Start)
        {
            if (Takes(state, action) && await StartAsync(engine, ns, state, action, plan.RunsBeside(action)))
                taken++;
        }
        state.Info.BufferSize = state.Buffer.Count;
        return taken < plan.Start.Count && state.Buffer.Count > 0;
    }

    /// <summary>Whether the schedule may still take an action when its turn comes: it may be paused, or spent, since it was due.</summary>
    private static bool Takes(StoredSchedule state, BufferedAction action)
    {
        if (action.Manual)
            return true;
        if (!DueActions.MayAct(state))
            return false;
        if (state.Schedule.State.LimitedActions)
        {
            state.Schedule.State.RemainingActions--;
            state.Version++;
        }
        return true;
    }

    private static void Close(WorkflowRun run, Action close)
    {
        if (run.IsOpen)
            close();
    }

    private static async Task<bool> StartAsync(Engine engine, Namespace ns, StoredSchedule state, BufferedAction action, bool beside)
    {
        var result = new ScheduleActionResult { ScheduleTime = action.Nominal.ToTimestamp(), ActualTime = engine.Clock.GetUtcNow().ToTimestamp() };
        try
        {
            var started = await engine.Starter.StartAsync(ns, ScheduledStart.Of(state, action));
            result.StartWorkflowResult = new() { WorkflowId = started.Run.WorkflowId, RunId = started.Run.Start.FirstExecutionRunId };
            result.StartWorkflowStatus = WorkflowExecutionStatus.Running;
            if (!beside)
                state.Info.RunningWorkflows.Add(result.StartWorkflowResult);
        }
        catch (Grpc.Core.RpcException e)
        {
            if (e.StatusCode == Grpc.Core.StatusCode.AlreadyExists)
                state.Info.OverlapSkipped++; // the id is taken, by somebody's run of the same second
            else
                state.Schedule.State.Notes = $"could not start the workflow of {action.Nominal:O}: {e.Status.Detail}";
            return false;
        }
        state.Info.ActionCount++;
        state.Info.RecentActions.Add(result);
        while (state.Info.RecentActions.Count > MostRecent)
            state.Info.RecentActions.RemoveAt(0);
        return true;
    }
}
