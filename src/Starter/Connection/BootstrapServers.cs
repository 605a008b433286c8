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
    public static async Task<BootstrapServerHost> StartAsync(BootstrapServerOptions options, CancellationToken ct)
    {
        try
        {
            return await BootstrapServerHost.StartAsync(options, ct);
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

    /// <summary>Starts a server on the preferred port, or on a free one when something else has it.</summary>
    public static async Task<BootstrapServerHost> StartNearAsync(BootstrapServerOptions options, CancellationToken ct)
    {
        try
        {
            return await BootstrapServerHost.StartAsync(options, ct);
        }
        catch (IOException) when (options.Port != 0)
        {
            return await StartAsync(options with { Port = 0 }, ct);
        }
    }
}
