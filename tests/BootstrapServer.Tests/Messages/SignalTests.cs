using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.BootstrapServer.Tests.Messages;

public class SignalTests(SharedServer server)
{
    [Fact]
    public async Task Delivers_signals_in_order()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id: "signal-" + queue, taskQueue: queue));
            var sent = Enumerable.Range(0, 50).Select(n => n.ToString("00", System.Globalization.CultureInfo.InvariantCulture)).ToList();
            foreach (var note in sent)
                await handle.SignalAsync(w => w.NoteAsync(note));
            await handle.SignalAsync(w => w.FinishAsync("done"));
            Assert.Equal("done: " + string.Join(",", sent), await handle.GetResultAsync());
        });
    }

    [Fact]
    public async Task Starts_with_a_signal_and_only_signals_what_runs_already()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var options = new WorkflowOptions(id: "with-start-" + queue, taskQueue: queue);
            options.SignalWithStart((WaitingWorkflow w) => w.NoteAsync("first"));
            var first = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), options);
            options.SignalWithStart((WaitingWorkflow w) => w.NoteAsync("second"));
            var second = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), options);
            Assert.Equal(first.ResultRunId, second.ResultRunId);
            await first.SignalAsync(w => w.FinishAsync("done"));
            Assert.Equal("done: first,second", await first.GetResultAsync());
        });
    }

    [Fact]
    public async Task Refuses_signals_to_closed_and_to_unknown_workflows()
    {
        var handle = await server.Client.StartWorkflowAsync(
            (WaitingWorkflow w) => w.RunAsync(), new(id: "closed-" + Guid.NewGuid(), taskQueue: "nobody-" + Guid.NewGuid()));
        await handle.TerminateAsync();
        await Failures.RefusedAsync(RpcException.StatusCode.NotFound, () => handle.SignalAsync(w => w.NoteAsync("late")));
        await Failures.RefusedAsync(
            RpcException.StatusCode.NotFound, () => server.Client.GetWorkflowHandle<WaitingWorkflow>("missing-" + Guid.NewGuid()).SignalAsync(w => w.NoteAsync("x")));
    }

    [Fact]
    public async Task Takes_a_repeated_signal_request_once()
    {
        await server.WithWorkerAsync(o => o.AddWorkflow<WaitingWorkflow>(), async queue =>
        {
            var handle = await server.Client.StartWorkflowAsync((WaitingWorkflow w) => w.RunAsync(), new(id: "twice-" + queue, taskQueue: queue));
            var request = new SignalWorkflowExecutionRequest
            {
                Namespace = "default",
                WorkflowExecution = new() { WorkflowId = handle.Id },
                SignalName = "Note",
                Input = new() { Payloads_ = { Temporalio.Converters.DataConverter.Default.PayloadConverter.ToPayload("once") } },
                RequestId = Guid.NewGuid().ToString(),
            };
            await server.Client.WorkflowService.SignalWorkflowExecutionAsync(request);
            await server.Client.WorkflowService.SignalWorkflowExecutionAsync(request);
            await handle.SignalAsync(w => w.FinishAsync("done"));
            Assert.Equal("done: once", await handle.GetResultAsync());
        });
    }
}
