using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Histories as tests look at them.</summary>
internal static class EventTypes
{
    public static async Task<IReadOnlyList<HistoryEvent>> EventsAsync(this WorkflowHandle handle) => [.. (await handle.FetchHistoryAsync()).Events];

    /// <summary>Event types in order, without those of workflow tasks, whose number depends on timing.</summary>
    public static async Task<IEnumerable<EventType>> TypesAsync(this WorkflowHandle handle) =>
        (await handle.EventsAsync()).Select(e => e.EventType).Where(t => !t.ToString().StartsWith("WorkflowTask", StringComparison.Ordinal));

    /// <summary>The description with the parts that the SDK does not show.</summary>
    public static Task<DescribeWorkflowExecutionResponse> RawAsync(this WorkflowHandle handle) => handle.Client.WorkflowService.DescribeWorkflowExecutionAsync(
        new() { Namespace = handle.Client.Options.Namespace, Execution = new() { WorkflowId = handle.Id } });

    /// <summary>The description of the run that the handle names, and not of the latest one.</summary>
    public static Task<DescribeWorkflowExecutionResponse> RawRunAsync(this WorkflowHandle handle) => handle.Client.WorkflowService.DescribeWorkflowExecutionAsync(
        new() { Namespace = handle.Client.Options.Namespace, Execution = new() { WorkflowId = handle.Id, RunId = handle.RunId } });

    public static bool Has(this IEnumerable<HistoryEvent> events, EventType type) => events.Any(e => e.EventType == type);
}
