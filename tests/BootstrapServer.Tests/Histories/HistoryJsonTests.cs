using System.Text.Json;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Common;

namespace PlatformOps.BootstrapServer.Tests.Histories;

/// <summary>Histories as <c>temporal workflow show --output json</c> prints them. That they replay from this form is checked after every other test.</summary>
public class HistoryJsonTests(SharedServer server)
{
    [Fact]
    public async Task Is_what_tools_print_and_read()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<EchoWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync(
                (EchoWorkflow w) => w.RunAsync("x"), new(id: "json-" + queue, taskQueue: queue) { TaskTimeout = TimeSpan.FromSeconds(7), RunTimeout = TimeSpan.FromSeconds(90) });
            await handle.GetResultAsync();
            var history = await handle.FetchHistoryAsync();
            using var json = JsonDocument.Parse(Replay.AsPrinted(history));
            var events = json.RootElement.GetProperty("events");
            var started = events[0].GetProperty("workflowExecutionStartedEventAttributes");
            Assert.Equal("EVENT_TYPE_WORKFLOW_EXECUTION_STARTED", events[0].GetProperty("eventType").GetString());
            Assert.Equal("1", events[0].GetProperty("eventId").GetString());
            Assert.Equal(("7s", "90s"), (started.GetProperty("workflowTaskTimeout").GetString(), started.GetProperty("workflowRunTimeout").GetString()));
            Assert.Equal("TASK_QUEUE_KIND_NORMAL", started.GetProperty("taskQueue").GetProperty("kind").GetString());
            var input = started.GetProperty("input").GetProperty("payloads")[0];
            Assert.Equal("\"x\"", System.Text.Encoding.UTF8.GetString(input.GetProperty("data").GetBytesFromBase64()));
            Assert.Equal("json/plain", System.Text.Encoding.UTF8.GetString(input.GetProperty("metadata").GetProperty("encoding").GetBytesFromBase64()));

            var read = WorkflowHistory.FromJson(handle.Id, Replay.AsPrinted(history));
            Assert.Equal(history.Events, read.Events);
        });
    }
}
