using System.CommandLine;
using PlatformOps.Adapters;
using PlatformOps.Guard;
using PlatformOps.Guard.Configuration;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;

namespace PlatformOps.Starter.Commands;

/// <summary>The guard beside a PostgreSQL server: the only way to it, and only while the node may be primary.</summary>
internal static class GuardCommand
{
    public static Command Create()
    {
        var config = Config();
        var command = new CliCommand(
            "guard",
            "Guard a PostgreSQL server: run it, let clients through only while this node holds the lease, and change places with the other node when told to.",
            new Example("guard init --config guard.json", "once, on the first node: a new cluster"),
            new Example("guard init --config guard.json --standby", "once, on the second: what the guard makes of it follows"),
            new Example("guard --config guard.json", "in the foreground, until Ctrl-C; a service manager should start it again whenever it ends"))
        {
            config,
        };
        command.Runs((invocation, ct) => RunAsync(invocation, Read(invocation, config), ct));
        command.Subcommands.Add(Init());
        return command;
    }

    private static CliCommand Init()
    {
        var config = Config();
        var standby = new Option<bool>("--standby") { Description = "The second node: its guard clones the first when it runs." };
        var sql = new Option<FileInfo>("--sql") { Description = "Statements for the new cluster, for example its roles and databases.", HelpName = "FILE" };
        return new CliCommand(
            "init",
            "Prepare a node once, before its guard runs for the first time. What is prepared already stays as it is.",
            new Example("guard init --config guard.json --sql roles.sql", "a new cluster with the roles of its applications"),
            new Example("guard init --config guard.json --standby", "a node that is to follow"))
        {
            config, standby, sql,
        }
        .Runs(async (invocation, ct) =>
        {
            var configuration = Read(invocation, config);
            try
            {
                var done = invocation.Get(standby)
                    ? GuardInit.Standby(configuration)
                    : await GuardInit.PrimaryAsync(
                        configuration, invocation.Get(sql) is { } file ? await File.ReadAllTextAsync(file.FullName, ct) : null, SuspendAwareClock.Instance, Log(invocation), ct);
                invocation.Terminal.Line(done ? $"{configuration.Node} is prepared." : $"{configuration.Node} was prepared before; nothing was changed.");
                invocation.Terminal.Line($"Next: platformops guard --config {invocation.Get(config)!.Name}");
                invocation.Terminal.Result(new { configuration.Node, prepared = done });
                return ExitCode.Success;
            }
            catch (GuardException failure)
            {
                throw new CommandFailure(ExitCode.Failure, $"{configuration.Node} cannot be prepared.", failure.Message, "Correct that, and run the same command again.", failure);
            }
        });
    }

    private static async Task<ExitCode> RunAsync(Invocation invocation, GuardConfiguration configuration, CancellationToken ct)
    {
        try
        {
            await using var agent = new GuardAgent(configuration, Witnesses.Open(configuration), SuspendAwareClock.Instance, Log(invocation));
            invocation.Terminal.Line($"Guard of {configuration.Node} ({configuration.Environment}): clients {configuration.Clients.Listen}, replication {configuration.Replication.Listen}, api {configuration.Api.Listen}{(configuration.Metrics is { } metrics ? $", metrics {metrics.Listen}" : "")}");
            invocation.Terminal.Result(new { configuration.Node, configuration.Environment, clients = configuration.Clients.Listen, replication = configuration.Replication.Listen, api = configuration.Api.Listen });
            await agent.RunAsync(ct);
            return ExitCode.Success;
        }
        catch (Exception failure) when (failure is GuardException or AdapterException)
        {
            throw new CommandFailure(ExitCode.Failure, $"The guard of {configuration.Node} cannot run.", failure.Message, "Correct that, and start it again.", failure);
        }
    }

    private static Option<FileInfo> Config() => new("--config") { Description = "The node's configuration (JSON): see docs/guard.md.", HelpName = "FILE", Required = true };

    private static GuardConfiguration Read(Invocation invocation, Option<FileInfo> config)
    {
        var file = invocation.Get(config)!.FullName;
        try
        {
            return GuardConfigurationFile.Load(file);
        }
        catch (GuardConfigurationException failure)
        {
            throw new CommandFailure(ExitCode.Invalid, $"The guard's configuration {file} is wrong.", failure.Problems.Count == 1 ? failure.Problems[0] : "", "See docs/guard.md for its fields.", failure)
            {
                Problems = failure.Problems.Count == 1 ? [] : failure.Problems,
            };
        }
    }

    private static TimedLog Log(Invocation invocation) => new(SuspendAwareClock.Instance, invocation.Verbose);
}
