using System.Diagnostics;
using PlatformOps.Integration.Tests.Alerts;
using YamlDotNet.RepresentationModel;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>The example of a program that starts Temporal on a restored copy, with programs in the place of Temporal's that keep what they are given. Keys and flags are those of Temporal's sources, 1.31.2.</summary>
public sealed class StartTemporalTests
{
    [Theory]
    [InlineData("temporal_visibility", "temporal_visibility")]
    // In Elasticsearch: an empty database stands in for it.
    [InlineData("", "platformops_trial_visibility")]
    public async Task The_example_gives_a_server_a_configuration_that_it_knows_whole_and_that_leads_nowhere_but_to_the_copy(string visibility, string used)
    {
        var folder = Directory.CreateTempSubdirectory("platformops-test-").FullName;
        foreach (var program in new[] { "temporal-server", "temporal-sql-tool", "psql" })
            await WriteProgramAsync(Path.Combine(folder, program), program);
        var start = new ProcessStartInfo("/bin/sh", [Path.Combine(Tools.Root, "examples/guard/start-temporal")]) { RedirectStandardError = true };
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["PATH"] = $"{folder}:/usr/bin:/bin",
            ["COPY_SOCKET"] = "/copy/socket",
            ["COPY_USER"] = "platformops_trial",
            ["COPY_PASSWORD"] = "c0ffee",
            ["COPY_DATABASE"] = "temporal",
            ["COPY_VISIBILITY"] = visibility,
            ["COPY_FOLDER"] = folder,
        })
            start.Environment[name] = value;
        using (var process = Process.Start(start)!)
        {
            var said = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal((0, ""), (process.ExitCode, said));
        }

        var yaml = new YamlStream();
        yaml.Load(new StringReader(await File.ReadAllTextAsync(Path.Combine(folder, "temporal.yaml"), TestContext.Current.CancellationToken)));
        Assert.Equal(
            [
                "clusterMetadata.clusterInformation.active.enabled=true", "clusterMetadata.clusterInformation.active.initialFailoverVersion=1", "clusterMetadata.clusterInformation.active.rpcAddress=127.0.0.1:7233",
                "clusterMetadata.currentClusterName=active", "clusterMetadata.enableGlobalNamespace=false", "clusterMetadata.failoverVersionIncrement=10", "clusterMetadata.masterClusterName=active", "dcRedirectionPolicy.policy=noop",
                "global.membership.broadcastAddress=127.0.0.1", "global.membership.maxJoinDuration=30s", "log.level=info", "log.stdout=true",
                .. Store("default", "temporal"), .. Store("visibility", used), "persistence.defaultStore=default", "persistence.numHistoryShards=4", "persistence.visibilityStore=visibility", "publicClient.hostPort=127.0.0.1:7233",
                .. Service("frontend", 7233, 6933), .. Service("history", 7234, 6934), .. Service("matching", 7235, 6935),
            ],
            Flat("", yaml.Documents[0].RootNode).Order(StringComparer.Ordinal));
        var called = await File.ReadAllLinesAsync(Path.Combine(folder, "called"), TestContext.Current.CancellationToken);
        Assert.Equal($"temporal-server --config-file {folder}/temporal.yaml --allow-no-auth start --service frontend --service history --service matching", called[^1]);
        var tool = $"temporal-sql-tool --plugin postgres12_pgx --endpoint localhost --port 5432 --user platformops_trial --password c0ffee --database {used} --connect-attributes host=/copy/socket";
        Assert.Equal(
            visibility.Length > 0 ? [] : [$"psql --host /copy/socket --username platformops_trial --dbname postgres --quiet --command CREATE DATABASE {used}", $"{tool} setup-schema --version 0.0", $"{tool} update-schema --schema-name postgresql/v12/visibility"],
            called[..^1]);
        Directory.Delete(folder, recursive: true);
    }

    private static IEnumerable<string> Store(string name, string database) =>
    [
        .. new[]
        {
            "connectAddr=localhost:5432", "connectAttributes.host=/copy/socket", "connectProtocol=tcp", $"databaseName={database}", "maxConns=10", "maxIdleConns=10", "password=c0ffee", "pluginName=postgres12_pgx", "user=platformops_trial",
        }.Select(pair => $"persistence.datastores.{name}.sql.{pair}"),
    ];

    private static IEnumerable<string> Service(string name, int port, int membership) =>
        [$"services.{name}.rpc.bindOnLocalHost=true", $"services.{name}.rpc.grpcPort={port}", $"services.{name}.rpc.membershipPort={membership}"];

    private static IEnumerable<string> Flat(string path, YamlNode node) => node is YamlMappingNode map ? map.Children.SelectMany(child => Flat($"{path}{(path.Length == 0 ? "" : ".")}{child.Key}", child.Value)) : [$"{path}={node}"];

    private static async Task WriteProgramAsync(string file, string name)
    {
        await File.WriteAllTextAsync(file, $"#!/bin/sh\necho \"{name} $*\" >>\"$COPY_FOLDER/called\"\n", TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
    }
}
