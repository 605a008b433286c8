using PlatformOps.Activities;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using PlatformOps.Workflows.Secrets;
using Temporalio.Client;
using Temporalio.Testing;
using Temporalio.Worker;

[assembly: AssemblyFixture(typeof(RunbookServer))]

namespace PlatformOps.PlatformWorkflows.Tests.Hosting;

/// <summary>The server that all tests of runbooks share: the SDK's local test environment, with the bootstrap server as its dev server.</summary>
public class RunbookServer : IAsyncLifetime
{
    // Histories that are kept must not name the machine that they come from.
    protected const string Identity = "tests";
    private const int Attempts = 10;

    private WorkflowEnvironment? environment;

    public WorkflowEnvironment Environment => environment ?? throw new InvalidOperationException("The environment has not been started.");

    public ITemporalClient Client => Environment.Client;

    /// <summary>What the environment starts in place of a server that it would download.</summary>
    protected static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "PlatformOps.BootstrapServer");

    public async ValueTask InitializeAsync()
    {
        // The SDK gives a server five seconds to start; a busy machine may need another try.
        for (var attempt = 1; environment is null; attempt++)
        {
            try
            {
                environment = await StartAsync();
            }
            catch (InvalidOperationException) when (attempt < Attempts)
            {
                // The next try finds the program in the page cache.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (environment is not null)
            await environment.DisposeAsync();
    }

    protected virtual Task<WorkflowEnvironment> StartAsync() => WorkflowEnvironment.StartLocalAsync(new()
    {
        DataConverter = PlatformOpsDataConverter.Instance,
        Identity = Identity,
        SearchAttributes = RunbookSearchAttributes.All,
        DevServerOptions = new() { ExistingPath = Executable },
    });

    /// <summary>A worker with a task queue of its own, whose activities act on <paramref name="world"/>.</summary>
    internal TemporalWorker CreateWorker(
        FakeWorld world, string? taskQueue = null, Action<TemporalWorkerOptions>? adjust = null, ISecretActivities? secrets = null, ICertificateActivities? certificates = null, IBackupActivities? backups = null,
        IScalingActivities? scaling = null)
    {
        var options = WorkerRegistration.CreateWorkerOptions(world, taskQueue ?? "queue-" + Guid.NewGuid(), secrets, certificates, backups, scaling);
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
