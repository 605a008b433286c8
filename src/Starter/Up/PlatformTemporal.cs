using PlatformOps.BootstrapServer;
using PlatformOps.Starter.Connection;

namespace PlatformOps.Starter.Up;

/// <summary>Plays the platform's own Temporal cluster of one region, so that its health is asked for on the wire.</summary>
internal sealed class PlatformTemporal : IAsyncDisposable
{
    private static readonly string[] Reading = ["Get", "List", "Describe", "Count", "Scan", "Query", "Poll", "Check", "Watch", "ServerReflection"];

    private readonly ServerLog log;
    private BootstrapServerHost? server;
    private NamespaceJournal? journal;
    private long mutating;
    private bool counting;

    private PlatformTemporal(bool verbose) => log = new ServerLog(verbose, answered: Answered);

    /// <summary><c>host:port</c> of its frontend, behind whatever the sandbox puts in front of it.</summary>
    public string Address => server!.Address;

    /// <summary>Calls that may have changed something.</summary>
    public long MutatingCalls => Interlocked.Read(ref mutating);

    /// <param name="folder">Where it keeps what it has to know again at the next start.</param>
    public static async Task<PlatformTemporal> StartAsync(string folder, string region, bool verbose, CancellationToken ct)
    {
        var started = new PlatformTemporal(verbose);
        try
        {
            // A new cluster knows no namespaces.
            var options = new BootstrapServerOptions { Namespaces = [], LoggerFactory = started.log };
            (started.server, var durable) = await BootstrapServers.StartDurablyAsync(
                options, Path.Combine(folder, $"{region}.temporal.db"), ct);
            if (!durable)
                started.journal = await NamespaceJournal.OpenAsync(Path.Combine(folder, $"{region}.namespaces.json"), started.Address);
            started.counting = true;
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
        if (journal is not null)
            await journal.DisposeAsync();
        if (server is not null)
            await server.DisposeAsync();
        log.Dispose();
    }

    private void Answered(string path)
    {
        var call = path[(path.LastIndexOf('/') + 1)..];
        // What is not known to only look counts as a change.
        if (!counting || Array.Exists(Reading, prefix => call.StartsWith(prefix, StringComparison.Ordinal)))
            return;
        Interlocked.Increment(ref mutating);
        journal?.Changed();
    }
}
