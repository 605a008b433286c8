using PlatformOps.BootstrapServer;
using PlatformOps.Starter.Connection;

namespace PlatformOps.Starter.Up;

/// <summary>Plays the platform's own Temporal cluster of one region, so that its health is asked for on the wire.</summary>
internal sealed class PlatformTemporal : IAsyncDisposable
{
    /// <summary>A canary workflow is deleted again, and leaves the platform as it was.</summary>
    private static readonly string[] Canary = ["StartWorkflowExecution", "RespondWorkflowTaskCompleted", "DeleteWorkflowExecution"];

    private static readonly string[] Reading = ["Get", "List", "Describe", "Count", "Scan", "Query", "Poll", "Check", "Watch", "ServerReflection"];

    private readonly ServerLog log;
    private BootstrapServerHost? server;
    private long mutating;

    private PlatformTemporal(bool verbose) => log = new ServerLog(verbose, answered: Answered);

    /// <summary><c>host:port</c> of its frontend, behind whatever the sandbox puts in front of it.</summary>
    public string Address => server!.Address;

    /// <summary>Calls that may have changed something.</summary>
    public long MutatingCalls => Interlocked.Read(ref mutating);

    /// <param name="folder">Where it keeps what it knows.</param>
    public static async Task<PlatformTemporal> StartAsync(string folder, string region, bool verbose, CancellationToken ct)
    {
        var started = new PlatformTemporal(verbose);
        try
        {
            // A new cluster knows no namespaces.
            var options = new BootstrapServerOptions
            {
                DatabaseFile = Path.Combine(folder, $"{region}.temporal.db"),
                Namespaces = [],
                LoggerFactory = started.log,
            };
            started.server = await BootstrapServers.StartAsync(options, ct);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        log.Dispose();
    }

    private void Answered(string path)
    {
        var call = path[(path.LastIndexOf('/') + 1)..];
        // What is not known to only look counts as a change.
        if (!Array.Exists([.. Reading, .. Canary], prefix => call.StartsWith(prefix, StringComparison.Ordinal)))
            Interlocked.Increment(ref mutating);
    }
}
