using Temporalio.Worker.Interceptors;
using Temporalio.Workflows;

namespace PlatformOps.Activities;

/// <summary>
/// Sends the activities of runbooks to the workers of their domains. Which task queue an activity has is no part of what a replay compares, so a run that began with one worker for everything
/// goes on with several, and the other way round.
/// </summary>
public sealed class DomainRoutes : IWorkerInterceptor
{
    /// <inheritdoc/>
    public WorkflowInboundInterceptor InterceptWorkflow(WorkflowInboundInterceptor nextInterceptor) => new Inbound(nextInterceptor);

    private sealed class Inbound(WorkflowInboundInterceptor next) : WorkflowInboundInterceptor(next)
    {
        public override void Init(WorkflowOutboundInterceptor outbound) => base.Init(new Outbound(outbound));
    }

    private sealed class Outbound(WorkflowOutboundInterceptor next) : WorkflowOutboundInterceptor(next)
    {
        public override Task<TResult> ScheduleActivityAsync<TResult>(ScheduleActivityInput input)
        {
            if (input.Options.TaskQueue is not null || !WorkerDomains.ByActivity.TryGetValue(input.Activity, out var domain))
                return base.ScheduleActivityAsync<TResult>(input);
            // Options may be shared by all calls of a kind.
            var options = (ActivityOptions)input.Options.Clone();
            options.TaskQueue = WorkerDomains.QueueOf(domain, Workflow.Info.TaskQueue);
            return base.ScheduleActivityAsync<TResult>(input with { Options = options });
        }
    }
}
