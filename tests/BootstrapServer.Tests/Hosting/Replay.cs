using Google.Protobuf;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Worker;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Proves that the histories which the server wrote replay with the code that made them.</summary>
internal static class Replay
{
    /// <summary>Replays every run on the worker's task queue that a worker got to see.</summary>
    public static async Task AllOfQueueAsync(ITemporalClient client, TemporalWorkerOptions worker)
    {
        await foreach (var run in client.ListWorkflowsAsync($"TaskQueue = '{worker.TaskQueue}'"))
        {
            var history = await client.GetWorkflowHandle(run.Id, run.RunId).FetchHistoryAsync();
            if (history.Events.Any(e => e.EventType == EventType.WorkflowTaskCompleted))
                await OneAsync(history, worker);
        }
    }

    /// <summary>A history as <c>temporal workflow show --output json</c> prints it: protocol JSON, indented, payloads in base64.</summary>
    public static string AsPrinted(WorkflowHistory history) =>
        new JsonFormatter(JsonFormatter.Settings.Default.WithIndentation()).Format(new History { Events = { history.Events } });

    /// <summary>Replays one history; through JSON, as tools hand histories on.</summary>
    public static async Task OneAsync(WorkflowHistory history, TemporalWorkerOptions worker)
    {
        var options = new WorkflowReplayerOptions();
        foreach (var definition in worker.Workflows)
            options.Workflows.Add(definition);
        var imported = WorkflowHistory.FromJson(history.Id, AsPrinted(history));
        await new WorkflowReplayer(options).ReplayWorkflowAsync(imported, throwOnReplayFailure: true);
    }
}
