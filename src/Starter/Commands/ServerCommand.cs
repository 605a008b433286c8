using System.CommandLine;
using PlatformOps.BootstrapServer;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Commands;

internal static class ServerCommand
{
    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "TCP port; 0 lets the operating system choose.", HelpName = "PORT", DefaultValueFactory = _ => 7233 };
        return new CliCommand("server", "Run the bootstrap server alone.", new Example("server --port 7233", "in the foreground, until Ctrl-C")) { port }
        .Runs(async (invocation, ct) =>
        {
            await using var server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { Port = invocation.Get(port) }, ct);
            invocation.Terminal.Line($"Bootstrap server: {server.Address}");
            await server.WaitForShutdownAsync(ct);
            return ExitCode.Success;
        });
    }
}
