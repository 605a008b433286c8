using System.Text.Json;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Runs;

/// <summary>Looks at a run again and again and shows every look to a view.</summary>
internal sealed class RunFollower(RunbookRun run, string taskQueue, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private RunbookStatus? known;
    private DateTimeOffset? silentSince;

    /// <summary>Follows until the run ends or <paramref name="until"/> holds.</summary>
    public async Task<RunSnapshot> FollowAsync(Action<RunSnapshot> show, Func<RunSnapshot, bool> until, CancellationToken ct)
    {
        while (true)
        {
            var snapshot = await LookAsync(ct);
            show(snapshot);
            if (snapshot.Closed || until(snapshot))
                return snapshot;
            await Task.Delay(Interval, time, ct);
        }
    }

    /// <summary>One look. Trouble in looking is part of what is seen, not a failure of the run.</summary>
    public async Task<RunSnapshot> LookAsync(CancellationToken ct)
    {
        string? notice = null;
        var closed = false;
        try
        {
            // In this order: a run that closes in between is asked for its final status at the next look.
            closed = (await run.DescribeAsync(ct)).Status != WorkflowExecutionStatus.Running;
            known = await run.StatusAsync(ct);
            silentSince = null;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested && failure is RpcException or WorkflowQueryFailedException or WorkflowQueryRejectedException)
        {
            silentSince ??= time.GetUtcNow();
            if (closed || time.GetUtcNow() - silentSince >= Patience)
                notice = await ExplainAsync(failure, ct);
        }

        return new RunSnapshot(known, await DetailsAsync(ct), closed, notice, time.GetUtcNow());
    }

    private async Task<string> ExplainAsync(Exception failure, CancellationToken ct)
    {
        if (failure is RpcException { Code: RpcException.StatusCode.Unavailable })
            return $"The Temporal server at {run.Client.Connection.Options.TargetHost} does not answer; still trying.";
        return await HasWorkerAsync(ct) is false
            ? $"No worker polls the task queue {taskQueue}: start one with `platformops worker`."
            : $"The run does not answer yet: {failure.Message}";
    }

    /// <summary>Whether a worker polls; null when the server cannot tell.</summary>
    private async Task<bool?> HasWorkerAsync(CancellationToken ct)
    {
        try
        {
            var answer = await run.Client.WorkflowService.DescribeTaskQueueAsync(
                new DescribeTaskQueueRequest
                {
                    Namespace = run.Client.Options.Namespace,
                    TaskQueue = new TaskQueue { Name = taskQueue },
                    TaskQueueType = TaskQueueType.Workflow,
                },
                new RpcOptions { CancellationToken = ct, Timeout = TimeSpan.FromSeconds(5) });
            return answer.Pollers.Count > 0;
        }
        catch (RpcException)
        {
            return null;
        }
    }

    private async Task<Dictionary<string, string>> DetailsAsync(CancellationToken ct)
    {
        var running = known?.Steps.Where(step => step is { State: StepState.Running, WorkflowId: not null }) ?? [];
        var found = await Task.WhenAll(running.Select(async step => (step.Name, Detail: await DetailAsync(step.WorkflowId!, ct))));
        return found.Where(entry => entry.Detail is not null).ToDictionary(entry => entry.Name, entry => entry.Detail!);
    }

    /// <summary>The latest heartbeat of what a child is waiting in, for example <c>2/3 replicas ready</c>, or why it has to try again.</summary>
    private async Task<string?> DetailAsync(string workflowId, CancellationToken ct)
    {
        try
        {
            var description = await run.Client.WorkflowService.DescribeWorkflowExecutionAsync(
                new DescribeWorkflowExecutionRequest
                {
                    Namespace = run.Client.Options.Namespace,
                    Execution = new Temporalio.Api.Common.V1.WorkflowExecution { WorkflowId = workflowId },
                },
                new RpcOptions { CancellationToken = ct, Timeout = TimeSpan.FromSeconds(5), Retry = false });
            var pending = description.PendingActivities.FirstOrDefault();
            if (pending is { Attempt: > 1, LastFailure.Message: { Length: > 0 } message })
                return $"attempt {pending.Attempt}: {message}";
            return pending?.HeartbeatDetails is { Payloads_: [var payload, ..] }
                ? Sentence(await run.Client.Options.DataConverter.ToValueAsync<JsonElement>(payload))
                : null;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested && failure is RpcException or JsonException)
        {
            // A detail is a convenience: without it the step's own sentence is shown.
            return null;
        }
    }

    /// <summary>Activities heartbeat a sentence, or a record whose <c>message</c> is one.</summary>
    private static string? Sentence(JsonElement heartbeat) => heartbeat.ValueKind switch
    {
        JsonValueKind.String => heartbeat.GetString(),
        JsonValueKind.Object when heartbeat.TryGetProperty("message", out var message) => message.GetString(),
        _ => null,
    };
}
