using PlatformOps.BootstrapServer.Access;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer;

/// <summary>How one bootstrap server runs. Checked when it starts; every problem is reported at once.</summary>
public sealed record BootstrapServerOptions
{
    /// <summary>Address to listen on. Others than loopback need <see cref="Access"/>.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>TCP port for gRPC over HTTP/2; 0 lets the operating system choose one.</summary>
    public int Port { get; init; }

    /// <summary>The SQLite file that holds everything; null keeps everything in memory, gone when the process ends. One process at a time.</summary>
    public string? DatabaseFile { get; init; }

    /// <summary>Namespaces that exist from the start. Those already in the file are left as they are.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = ["default"];

    /// <summary>This server's name among the clusters in which namespaces may be active.</summary>
    public string Cluster { get; init; } = "active";

    /// <summary>
    /// All clusters, this one among them, in the order of their initial failover versions; empty: there is only this one, and namespaces are local. With more, namespaces may be
    /// global: in which clusters they are, where they are active and since which failover is kept as data, and nothing is replicated between servers.
    /// </summary>
    public IReadOnlyList<string> Clusters { get; init; } = [];

    /// <summary>Custom search attributes that exist from the start, in every namespace.</summary>
    public IReadOnlyDictionary<string, IndexedValueType> SearchAttributes { get; init; } = new Dictionary<string, IndexedValueType>();

    /// <summary>The clock of all workflow time. Long polls alone use the wall clock, since clients wait in real time.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>True lets virtual time jump ahead whenever nothing can run (the behaviour of a Temporal test server). It begins locked, and keeps everything in memory.</summary>
    public bool SkipTime { get; init; }

    /// <summary>Sizes and counts from which requests are refused; the real server's unless a test wants them small.</summary>
    public ServerLimits Limits { get; init; } = new();

    /// <summary>TLS, client certificates, API keys.</summary>
    public AccessOptions Access { get; init; } = new();

    /// <summary>What somebody asked for that means nothing here; logged once, as a warning.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>
    /// Open runs that stay in memory with all that is known of them, those used last; a run beyond that is read back from the
    /// store when something happens to it. A run in memory takes about 8 KB, one that is not a few hundred bytes.
    /// </summary>
    public int RunsInMemory { get; init; } = 2_000;

    /// <summary>Where the server logs; null logs warnings and errors to standard error.</summary>
    public Microsoft.Extensions.Logging.ILoggerFactory? LoggerFactory { get; init; }
}
