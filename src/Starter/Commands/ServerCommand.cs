using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using PlatformOps.BootstrapServer;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.Starter.Commands;

/// <summary>The bootstrap server alone: with options like those of the other commands, or with the command line of a Temporal dev or test server.</summary>
internal static class ServerCommand
{
    private const string TimeSkipping = "skip-time";

    public static Command Create()
    {
        var port = ServerArguments.Port("TCP port; 0 lets the operating system choose.");
        var host = new Option<IPAddress>("--host")
        {
            Description = "Address to listen on. Others than loopback need TLS, and client certificates or API keys.",
            HelpName = "IP",
            DefaultValueFactory = _ => IPAddress.Loopback,
            CustomParser = ReadHost,
        };
        var database = new Option<FileInfo>("--database") { Description = "The SQLite file that keeps everything, over kill -9 too. [default: none, everything is in memory]", HelpName = "FILE" };
        var namespaces = new Option<string[]>("--namespace") { Description = "A namespace that exists from the start, beside `default`; repeatable.", HelpName = "NAME" };
        var attributes = new Option<string[]>("--search-attribute")
        {
            Description = $"A search attribute beside those of the runbooks, with its type ({string.Join(", ", Enum.GetNames<IndexedValueType>().Skip(1))}); repeatable.",
            HelpName = "NAME=TYPE",
        };
        var access = new ServerAccess();
        var command = new CliCommand(
            "server",
            "Run the bootstrap server alone: a Temporal server for one node, with the runbooks' search attributes registered.",
            new Example("server", "on port 7233, in the foreground, until Ctrl-C"),
            new Example("server --database runs.db", "the same, and the next start goes on from there"),
            new Example("server --port 0 --namespace staging --output json", "on a free port; the first line of standard output says which"),
            new Example("server --host 0.0.0.0 --tls-cert-path tls.crt --tls-key-path tls.key --api-key-path keys", "for other machines, which need one of the keys in the file"),
            new Example("server start-dev --port 7233", "with the options of `temporal server start-dev`"),
            new Example("server 7233", "a test server that skips time"))
        {
            port, host, database, namespaces, attributes,
        };
        foreach (var option in access.Options)
            command.Options.Add(option);
        command.Runs((invocation, ct) => RunAsync(
            invocation,
            new BootstrapServerOptions
            {
                Host = invocation.Get(host)!.ToString(),
                Port = invocation.Get(port),
                DatabaseFile = invocation.Get(database)?.FullName,
                Namespaces = [.. (invocation.Get(namespaces) ?? []).Prepend("default").Distinct()],
                SearchAttributes = (invocation.Get(attributes) ?? []).Select(Parse).DistinctBy(entry => entry.Key).ToDictionary(),
                Access = access.Read(invocation),
            },
            ct));
        command.Subcommands.Add(AsTemporal("start-dev", "The same, with the options of `temporal server start-dev`.", rest => ["server", "start-dev", .. rest]));
        command.Subcommands.Add(AsTemporal(TimeSkipping, "A test server that skips time, on the port that follows; `server PORT` is short for it.", rest => [.. rest]));
        return command;
    }

    /// <summary>Makes <c>server PORT</c> what a Temporal test server's command line is: a word that is a number is no command of ours.</summary>
    public static IReadOnlyList<string> Rewrite(IReadOnlyList<string> args) =>
        args is ["server", var port, ..] && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? ["server", TimeSkipping, .. args.Skip(1)] : args;

    /// <summary>A command whose words are all a Temporal server's.</summary>
    private static CliCommand AsTemporal(string name, string description, Func<IEnumerable<string>, IReadOnlyList<string>> arguments)
    {
        var command = new CliCommand(name, description) { TreatUnmatchedTokensAsErrors = false };
        return command.Runs((invocation, ct) =>
        {
            try
            {
                return RunAsync(invocation, BootstrapServer.ServerArguments.Parse(arguments(invocation.Unmatched)), ct);
            }
            catch (FormatException mistake)
            {
                throw new CommandFailure(ExitCode.Usage, "The server's options cannot be understood.", $"{mistake.Message}\n{BootstrapServer.ServerArguments.Usage}", "platformops server --help", mistake);
            }
        });
    }

    private static async Task<ExitCode> RunAsync(Invocation invocation, BootstrapServerOptions asked, CancellationToken ct)
    {
        using var log = new ServerLog(invocation.Verbose);
        var options = asked with
        {
            LoggerFactory = asked.LoggerFactory ?? log,
            SearchAttributes = BootstrapServers.SearchAttributes.Concat(asked.SearchAttributes).DistinctBy(entry => entry.Key).ToDictionary(),
        };
        await using var server = await BootstrapServers.StartAsync(options, ct);
        invocation.Terminal.Line($"Bootstrap server: {server.Address}   namespaces: {string.Join(", ", options.Namespaces)}");
        invocation.Terminal.Line($"  export TEMPORAL_ADDRESS={server.Address}");
        invocation.Terminal.Line(options.DatabaseFile is { } file ? $"Ctrl-C ends it; everything is in {file}." : "Ctrl-C ends it; it keeps everything in memory.");
        invocation.Terminal.Result(new { server.Address, server.Port, options.Namespaces, database = options.DatabaseFile });
        await server.WaitForShutdownAsync(ct);
        return ExitCode.Success;
    }

    private static IPAddress? ReadHost(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!IPAddress.TryParse(text, out var address))
            result.AddError($"--host is '{text}': an IP address is expected, for example 127.0.0.1.");
        return address;
    }

    private static KeyValuePair<string, IndexedValueType> Parse(string text)
    {
        try
        {
            return BootstrapServer.ServerArguments.SearchAttribute(text);
        }
        catch (FormatException mistake)
        {
            throw new CommandFailure(ExitCode.Usage, "A search attribute cannot be understood.", mistake.Message, "platformops server --search-attribute Owner=Keyword", mistake);
        }
    }
}
