using System.Net.Sockets;
using PlatformOps.BootstrapServer;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.Starter.Connection;

/// <summary>Starts bootstrap servers as the runbooks need them.</summary>
internal static class BootstrapServers
{
    /// <summary>What a server must know before the first run.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> SearchAttributes { get; } =
        RunbookSearchAttributes.All.ToDictionary(attribute => attribute.Name, _ => IndexedValueType.Keyword);

    /// <summary>Starts a server, or fails with a message that names the address.</summary>
    /// <param name="portIsWish">Take any free port when something else listens on the one of the options.</param>
    public static async Task<BootstrapServerHost> StartAsync(BootstrapServerOptions options, CancellationToken ct, bool portIsWish = false)
    {
        try
        {
            return await OpenAsync(options, portIsWish, ct);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            throw new CommandFailure(
                ExitCode.Busy, $"The bootstrap server cannot listen on {options.Host}:{options.Port}.", failure.Message,
                "End what listens there, or choose another port with --port (0: any free one).", failure);
        }
        catch (ArgumentException failure)
        {
            throw new CommandFailure(ExitCode.Usage, "The bootstrap server cannot run with these options.", failure.Message, "platformops server --help", failure);
        }
    }

    /// <summary>Starts a server that keeps everything in <paramref name="databaseFile"/> or, where the server cannot, in memory.</summary>
    /// <returns>The server, and whether what it knows outlives the process.</returns>
    public static async Task<(BootstrapServerHost Server, bool Durable)> StartDurablyAsync(
        BootstrapServerOptions options, string databaseFile, CancellationToken ct, bool portIsWish = false)
    {
        try
        {
            return (await StartAsync(options with { DatabaseFile = databaseFile }, ct, portIsWish), true);
        }
        catch (CommandFailure refused) when (refused.InnerException is ArgumentException { Message: var why }
            && why.Contains(nameof(BootstrapServerOptions.DatabaseFile), StringComparison.Ordinal))
        {
            return (await StartAsync(options, ct, portIsWish), false);
        }
    }

    private static async Task<BootstrapServerHost> OpenAsync(BootstrapServerOptions options, bool portIsWish, CancellationToken ct)
    {
        try
        {
            return await BootstrapServerHost.StartAsync(options, ct);
        }
        catch (IOException) when (portIsWish && options.Port != 0)
        {
            return await BootstrapServerHost.StartAsync(options with { Port = 0 }, ct);
        }
    }
}
