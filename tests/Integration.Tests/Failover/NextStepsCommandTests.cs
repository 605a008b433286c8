using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Sandbox.Aws;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary><c>platformops failover next-steps</c> as somebody has it whose bootstrap cluster is lost: instances in RDS, two Temporal clusters, the witness, and nothing else.</summary>
public sealed class NextStepsCommandTests
{
    private const string East = GuardedPair.First, West = GuardedPair.Second;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_left_who_does_it_and_the_exit_code_follow_the_world()
    {
        await using var aws = await AwsStandIn.StartAsync(new() { TimeScale = 0.001 }, Ct);
        await using var world = await RdsPostgresTests.WorldAsync(region => new(new() { Region = region, Endpoint = aws.Address, Keys = new(aws.AccessKeyId, "not-a-secret") }), owned: null);
        await using var temporals = await TwoTemporals.StartAsync();
        await temporals.RegisterAsync("orders");
        using var cli = new Cli();
        var file = Write(cli.Home, aws, world, temporals);

        var well = await cli.RunAsync("failover", "next-steps", "production", "--connections", file);
        Assert.True(well.ExitCode == 0, well.Output + well.Error);
        Assert.Contains($"Epoch 1 is {East}'s", well.Output, StringComparison.Ordinal);
        Assert.Contains($"Temporal namespace orders: {East} says active in east; {West} says active in east", well.Output, StringComparison.Ordinal);
        Assert.Contains("Nothing is left to do.", well.Output, StringComparison.Ordinal);

        var found = (await world.Witness.ReadAsync(Ct))!;
        await world.Witness.WriteAsync(found.Record.Claim(West, "failover-production-2", fenced: false), found.Version, Ct);
        var claimed = await cli.RunAsync("failover", "next-steps", "production", "--connections", file);
        Assert.Equal(10, claimed.ExitCode);
        Assert.Contains($"run: Epoch 2 was claimed for {West} by failover-production-2", claimed.Output, StringComparison.Ordinal);

        await temporals.SetStateAsync(East, "orders", ReplicationState.Handover);
        var closed = await cli.RunAsync("failover", "next-steps", "production", "--connections", file, "--output", "json");
        Assert.Equal(7, closed.ExitCode);
        var json = JsonNode.Parse(closed.Output.Trim().Split('\n')[^1])!;
        Assert.Equal((2, West), ((int)json["epoch"]!, (string?)json["primary"]));
        var steps = json["steps"]!.AsArray().Select(step => $"{step!["step"]} {step["actor"]}");
        Assert.Equal(["fence run", "promote run", "namespaces people"], steps);
        Assert.True((bool)json["namespaces"]![0]!["said"]![East]!["closed"]!);

        File.WriteAllText(file, File.ReadAllText(file).Replace($"\"closedSecurityGroup\": \"{RdsPostgresTests.Closed}\"", "\"closedSecurityGroup\": \"\"", StringComparison.Ordinal));
        var wrong = await cli.RunAsync("failover", "next-steps", "production", "--connections", file);
        Assert.Equal(3, wrong.ExitCode);
        Assert.Contains("closedSecurityGroup", wrong.Error, StringComparison.Ordinal);
    }

    /// <summary>The connections file.</summary>
    private static string Write(string folder, AwsStandIn aws, RdsPostgresTests.World world, TwoTemporals temporals)
    {
        File.WriteAllText(Path.Combine(folder, "credentials"), $"[default]\naws_access_key_id = {aws.AccessKeyId}\naws_secret_access_key = not-a-secret\n");
        var how = $$"""{"endpoint": "{{aws.Address}}", "credentialsFile": "credentials"}""";
        string Node(string cluster) => $$$"""{"clients": "127.0.0.1:1", "temporalCluster": "{{{cluster}}}", "rds": {"instance": "{{{world.Name}}}", "closedSecurityGroup": "{{{RdsPostgresTests.Closed}}}" } }""";
        var file = Path.Combine(folder, "platform.json");
        File.WriteAllText(file, $$"""
            {"regions": {
               "{{East}}": {"temporalAddress": "{{temporals.Servers[East].Address}}", "aws": {{how}} },
               "{{West}}": {"temporalAddress": "{{temporals.Servers[West].Address}}", "aws": {{how}} } },
             "failover": {"production": {
               "nodes": {"{{East}}": {{Node("east")}}, "{{West}}": {{Node("west")}} },
               "witness": {"bucket": "{{world.Bucket}}", "key": "production", "aws": {"region": "eu-central-1", "endpoint": "{{aws.Address}}", "credentialsFile": "credentials"} },
               "temporalNamespaces": ["orders"], "synchronous": false} } }
            """);
        return file;
    }
}
