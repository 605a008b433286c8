using PlatformOps.Activities;
using PlatformOps.BootstrapServer;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Worker;

[assembly: AssemblyFixture(typeof(RunbookServer))]

namespace PlatformOps.PlatformWorkflows.Tests.Hosting;

/// <summary>The server that all tests of runbooks share: a real one, in this process, with the official SDK as client and worker.</summary>
public sealed class RunbookServer : IAsyncLifetime
{
    private BootstrapServerHost? host;

    public ITemporalClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        host = await BootstrapServerHost.StartAsync(new()
        {
            SearchAttributes = RunbookSearchAttributes.All.ToDictionary(key => key.Name, _ => IndexedValueType.Keyword),
        });
        Client = await TemporalClient.ConnectAsync(new(host.Address)
        {
            DataConverter = PlatformOpsDataConverter.Instance,
            // Histories that are kept must not name the machine that they come from.
            Identity = "tests",
        });
    }

    public ValueTask DisposeAsync() => host?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>A worker with a task queue of its own, whose activities act on <paramref name="world"/>.</summary>
    internal TemporalWorker CreateWorker(FakeWorld world, string? taskQueue = null, Action<TemporalWorkerOptions>? adjust = null)
    {
        var options = WorkerRegistration.CreateWorkerOptions(world, taskQueue ?? "queue-" + Guid.NewGuid());
        // A cancellation reaches an activity with its next heartbeat.
        options.MaxHeartbeatThrottleInterval = TimeSpan.FromMilliseconds(50);
        adjust?.Invoke(options);
        return new TemporalWorker(Client, options);
    }

    /// <summary>Starts a worker and, on it, <c>ProvisionEnvironment</c> for an environment that no other test uses.</summary>
    internal async Task<ProvisioningRun> ProvisionAsync(FakeWorld world, ProvisionEnvironmentInput? input = null, Action<TemporalWorkerOptions>? adjust = null)
    {
        var worker = CreateWorker(world, adjust: adjust);
        var environment = input?.Environment ?? $"development-{Guid.NewGuid():N}";
        var given = (input ?? new()) with { Environment = environment };
        var handle = await Client.StartWorkflowAsync(
            (ProvisionEnvironment workflow) => workflow.RunAsync(given),
            new(id: ProvisionEnvironment.WorkflowId(environment), taskQueue: worker.Options.TaskQueue!));
        return new(worker, handle, world, environment);
    }
}
