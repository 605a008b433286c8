using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Namespaces;

/// <summary>One namespace as it is at a moment; a change makes a new one.</summary>
internal sealed record Namespace(string Id, string Name, DescribeNamespaceResponse Description)
{
    public NamespaceState State => Description.NamespaceInfo.State;

    /// <summary>How long closed runs are kept.</summary>
    public TimeSpan Retention => Description.Config.WorkflowExecutionRetentionTtl.ToTimeSpan();
}
