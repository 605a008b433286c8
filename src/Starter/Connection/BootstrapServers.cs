using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
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

    /// <summary>Starts a server, or fails with a message that names the address or the file.</summary>
    /// <param name="portIsWish">Take any free port when something else listens on the one of the options.</param>
    public static async Task<BootstrapServerHost> StartAsync(BootstrapServerOptions options, CancellationToken ct, bool portIsWish = false)
    {
        try
        {
            return await BootstrapServerHost.StartAsync(options, ct);
        }
        catch (Exception failure) when (IsAboutTheAddress(failure) && portIsWish && options.Port != 0)
        {
            return await StartAsync(options with { Port = 0 }, ct);
        }
        catch (Exception failure) when (IsAboutTheAddress(failure))
        {
            throw new CommandFailure(
                ExitCode.Busy, $"The bootstrap server cannot listen on {options.Host}:{options.Port}.", failure.Message,
                "End what listens there, or choose another port with --port (0: any free one).", failure);
        }
        catch (IOException failure) when (options.DatabaseFile is not null)
        {
            throw new CommandFailure(
                ExitCode.Failure, $"The bootstrap server cannot use its file {options.DatabaseFile}.", failure.Message,
                "Do what the message says, or choose another file or data directory.", failure);
        }
        catch (ArgumentException failure)
        {
            throw new CommandFailure(ExitCode.Usage, "The bootstrap server cannot run with these options.", failure.Message, "platformops server --help", failure);
        }
    }

    private static bool IsAboutTheAddress(Exception failure) =>
        failure is SocketException || failure.InnerException is SocketException or AddressInUseException;
}
