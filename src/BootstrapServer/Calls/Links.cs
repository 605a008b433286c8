using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Links that answers carry, so that a caller's history can point at what it caused.</summary>
internal static class Links
{
    /// <summary>To the start of a run.</summary>
    public static Link Started(Namespace ns, WorkflowRun run) => new()
    {
        WorkflowEvent = new Link.Types.WorkflowEvent
        {
            Namespace = ns.Name,
            WorkflowId = run.WorkflowId,
            RunId = run.RunId,
            EventRef = new Link.Types.WorkflowEvent.Types.EventReference { EventId = 1, EventType = EventType.WorkflowExecutionStarted },
        },
    };

    /// <summary>To the event that a request caused, whose id may not be known yet.</summary>
    public static Link Event(Namespace ns, WorkflowRun run, string requestId, EventType type) => new()
    {
        WorkflowEvent = new Link.Types.WorkflowEvent
        {
            Namespace = ns.Name,
            WorkflowId = run.WorkflowId,
            RunId = run.RunId,
            RequestIdRef = new Link.Types.WorkflowEvent.Types.RequestIdReference { RequestId = requestId, EventType = type },
        },
    };
}
