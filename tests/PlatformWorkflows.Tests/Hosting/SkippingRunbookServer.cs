using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Testing;

namespace PlatformOps.PlatformWorkflows.Tests.Hosting;

/// <summary>The same with the SDK's time-skipping environment: while a test waits for a result, time jumps to the next thing that is due.</summary>
public sealed class SkippingRunbookServer : RunbookServer
{
    protected override Task<WorkflowEnvironment> StartAsync() => WorkflowEnvironment.StartTimeSkippingAsync(new()
    {
        DataConverter = PlatformOpsDataConverter.Instance,
        Identity = Identity,
        TestServer = new()
        {
            ExistingPath = Executable,
            ExtraArgs = [.. RunbookSearchAttributes.All.SelectMany(key => new[] { "--search-attribute", $"{key.Name}={key.ValueType}" })],
        },
    });
}
