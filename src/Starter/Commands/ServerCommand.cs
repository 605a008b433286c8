using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using PlatformOps.BootstrapServer;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.Starter.Commands;

internal static class ServerCommand
{
    public static Command Create()
    {
        var port = ServerArguments.Port("TCP port; 0 lets the operating system choose.");
        var host = new Option<IPAddress>("--host")
        {
            Description = "Address to listen on. There is no authentication: leave it on loopback unless the network is yours alone.",
            HelpName = "IP",
            DefaultValueFactory = _ => IPAddress.Loopback,
            CustomParser = ReadHost,
        };
        var database = new Option<FileInfo>("--database") { Description = "The SQLite file that keeps everything, over kill -9 too. [default: none, everything is in memory]", HelpName = "FILE" };
        var namespaces = new Option<string[]>("--namespace") { Description = "A namespace that exists from the start, beside `default`; repeatable.", HelpName = "NAME" };
        var attributes = new Option<string[]>("--search-attribute")
        {
            Description = $"A search attribute beside those of the runbooks, with its type ({string.Join(", ", Types)}); repeatable.",
            HelpName = "NAME=TYPE",
        };
        return new CliCommand(
            "server",
            "Run the bootstrap server alone: a Temporal server for one node, with the runbooks' search attributes registered.",
            new Example("server", "on port 7233, in the foreground, until Ctrl-C"),
            new Example("server --database runs.db", "the same, and the next start goes on from there"),
            new Example("server --port 0 --namespace staging --output json", "on a free port; the first line of standard output says which"))
        {
            port, host, database, namespaces, attributes,
        }
        .Runs(async (invocation, ct) =>
        {
            using var log = new ServerLog(invocation.Verbose);
            var options = new BootstrapServerOptions
            {
                Host = invocation.Get(host)!.ToString(),
                Port = invocation.Get(port),
                DatabaseFile = invocation.Get(database)?.FullName,
                LoggerFactory = log,
                Namespaces = [.. (invocation.Get(namespaces) ?? []).Prepend("default").Distinct()],
                SearchAttributes = BootstrapServers.SearchAttributes.Concat((invocation.Get(attributes) ?? []).Select(Parse)).DistinctBy(entry => entry.Key).ToDictionary(),
            };
            await using var server = await BootstrapServers.StartAsync(options, ct);
            invocation.Terminal.Line($"Bootstrap server: {server.Address}   namespaces: {string.Join(", ", options.Namespaces)}");
            invocation.Terminal.Line($"  export TEMPORAL_ADDRESS={server.Address}");
            invocation.Terminal.Line(options.DatabaseFile is { } file ? $"Ctrl-C ends it; everything is in {file}." : "Ctrl-C ends it; it keeps everything in memory.");
            invocation.Terminal.Result(new { server.Address, server.Port, options.Namespaces, database = options.DatabaseFile });
            await server.WaitForShutdownAsync(ct);
            return ExitCode.Success;
        });
    }

    private static IPAddress? ReadHost(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!IPAddress.TryParse(text, out var address))
            result.AddError($"--host is '{text}': an IP address is expected, for example 127.0.0.1.");
        return address;
    }

    private static IEnumerable<string> Types =>
        Enum.GetNames<IndexedValueType>().Where(name => name != nameof(IndexedValueType.Unspecified));

    private static KeyValuePair<string, IndexedValueType> Parse(string text) =>
        text.Split('=', 2) is [{ Length: > 0 } name, var type] && Types.FirstOrDefault(known => known.Equals(type, StringComparison.OrdinalIgnoreCase)) is { } found
            ? KeyValuePair.Create(name, Enum.Parse<IndexedValueType>(found))
            : throw new CommandFailure(
                ExitCode.Usage, $"--search-attribute {text} cannot be understood.", $"NAME=TYPE is expected, with one of {string.Join(", ", Types)}.",
                "platformops server --search-attribute Owner=Keyword");
}
