using System.Diagnostics;
using PlatformOps.Adapters.Codec;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using Temporalio.Client;
using Temporalio.Converters;

namespace PlatformOps.Integration.Tests.Replay;

/// <summary><c>platformops replay</c>: with histories in files, and at a server that has executions of the product and of somebody else.</summary>
public sealed class ReplayCommandTests : IDisposable
{
    private static readonly string Histories = Path.Combine(Tools.Root, "tests", "PlatformWorkflows.Tests", "Replay", "Histories");

    private readonly Cli cli = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => cli.Dispose();

    [Fact]
    public async Task Histories_in_files_replay_and_one_that_decides_otherwise_is_named_with_the_reason_and_the_next_step()
    {
        cli["TEMPORAL_ADDRESS"] = "127.0.0.1:1";
        var good = Recorded("approved");
        var changed = await EditedAsync("changed", text => text.Replace("\"name\": \"PlanEnvironment\"", "\"name\": \"SomethingElse\"", StringComparison.Ordinal));
        var foreign = await EditedAsync("foreign", text => text.Replace("\"name\": \"ProvisionEnvironment\"", "\"name\": \"Order\"", StringComparison.Ordinal));

        var whole = await cli.RunAsync("replay", "--history", good, Recorded("failed-over"), foreign);
        Assert.True(whole.ExitCode == 4, whole.Error);
        Assert.Equal("2 of our executions replayed, 1 of other workflows was not looked at (Order 1)", LastLine(whole));

        var wrong = await cli.RunAsync("replay", "--history", good, changed);
        Assert.Equal(8, wrong.ExitCode);
        Assert.StartsWith("1 of our executions does not replay, ProvisionEnvironment provision/development (run ", LastLine(wrong), StringComparison.Ordinal);
        Assert.Contains("'SomethingElse' does not match activity type of activity command 'PlanEnvironment'", LastLine(wrong), StringComparison.Ordinal);
        Assert.EndsWith("; 1 of our executions replayed", LastLine(wrong), StringComparison.Ordinal);
        Assert.Contains("next: a worker of platformops", wrong.Output, StringComparison.Ordinal);
        Assert.Contains("temporal workflow show --workflow-id provision/development --run-id ", wrong.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_history_is_no_pass_and_what_a_payload_holds_is_not_told()
    {
        var start = File.ReadAllText(Recorded("approved"));
        var nothing = await EditedAsync("nothing", _ => "{}");
        // The result of the first activity is no JSON any more.
        var completed = start.IndexOf("activityTaskCompletedEventAttributes", StringComparison.Ordinal);
        var data = start.IndexOf("\"data\": \"", completed, StringComparison.Ordinal) + "\"data\": \"".Length;
        var garbled = await EditedAsync("garbled", text => text[..data] + Convert.ToBase64String("{\"canary-of-a-payload\": [}"u8) + text[text.IndexOf('"', data)..]);

        var refused = await cli.RunAsync("replay", "--history", nothing);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains($"{nothing} is no history", refused.Error, StringComparison.Ordinal);
        var unread = await cli.RunAsync("replay", "--history", garbled, "--output", "json");
        Assert.Equal((8, "doesNotReplay"), (unread.ExitCode, unread.Json.GetProperty("outcome").GetString()));
        Assert.Contains("fails with JsonException", unread.Json.GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("canary", unread.Output + unread.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_as_a_guard_gives_it_is_replayed_and_executions_of_others_are_counted()
    {
        await using var server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes, Namespaces = ["default", "orders"] }, Ct);
        var client = await ConnectAsync(server, PlatformOpsDataConverter.Instance);
        var good = await OwnExecutions.BeginAsync(client, "provision/one");
        var idle = (await client.StartWorkflowAsync("ProvisionEnvironment", [], new("provision/two", "nobody"))).ResultRunId;
        var order = (await (await TemporalClient.ConnectAsync(new(server.Address) { Namespace = "orders" })).StartWorkflowAsync("Order", [], new("order-1", "nobody"))).ResultRunId;
        cli["TEMPORAL_ADDRESS"] = server.Address;

        cli["EXECUTIONS"] = await ListAsync(("default", "provision/one", good), ("orders", "order-1", order!), ("default", "provision/two", idle!));
        var whole = await cli.RunAsync("replay", "--output", "json");
        Assert.True(whole.ExitCode == 0, whole.Error);
        Assert.Equal("1 of our executions replayed, 1 of ours had not begun, with nothing to replay, 1 of other workflows was not looked at (Order 1)", whole.Json.GetProperty("summary").GetString());
        Assert.Equal(("replays", good), (whole.Json.GetProperty("outcome").GetString(), whole.Json.GetProperty("replayed")[0].GetProperty("runId").GetString()));

        cli["EXECUTIONS"] = await ListAsync(("orders", "order-1", order!));
        var foreign = await cli.RunAsync("replay");
        Assert.Equal((0, "The execution is not of a workflow of PlatformOps (Order 1): nothing was replayed."), (foreign.ExitCode, LastLine(foreign)));
        // Whoever names one wants to know about that one.
        Assert.Equal(4, (await cli.RunAsync("replay", "order-1", "--namespace", "orders")).ExitCode);
        cli["EXECUTIONS"] = await ListAsync();
        var none = await cli.RunAsync("replay");
        Assert.Equal((0, "There are no executions: nothing was replayed."), (none.ExitCode, LastLine(none)));

        var bad = await OwnExecutions.BeginAsync(client, "provision/three", otherwise: true);
        var found = await cli.RunAsync("replay", "--query", "WorkflowType = 'ProvisionEnvironment'");
        Assert.Equal(8, found.ExitCode);
        Assert.StartsWith($"1 of our executions does not replay, ProvisionEnvironment provision/three (run {bad}) of default: [TMPRL1100] ", LastLine(found), StringComparison.Ordinal);
        Assert.Contains($"temporal workflow show --workflow-id provision/three --run-id {bad} --namespace default --output json", found.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", found.Output + found.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_or_cannot_be_decrypted_is_named_and_no_pass()
    {
        await using var server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes }, Ct);
        var key = Convert.ToBase64String(new byte[32]);
        var keys = new CodecKeys(() => CodecKeyFiles.ReadText($"first:{key}", "the test"), TimeProvider.System);
        var run = await OwnExecutions.BeginAsync(await ConnectAsync(server, PlatformOpsDataConverter.With(new EncryptingPayloadCodec(keys), null)), "provision/secret");
        cli["TEMPORAL_ADDRESS"] = server.Address;

        var unknown = Guid.NewGuid().ToString();
        cli["EXECUTIONS"] = await ListAsync(("default", "provision/secret", run), ("default", "provision/secret", unknown));
        var blind = await cli.RunAsync("replay");
        Assert.Equal(3, blind.ExitCode);
        Assert.StartsWith($"2 executions could not be read, the first is ProvisionEnvironment provision/secret (run {run}) of default: A payload is encrypted with the key 'first', which this process does not have.", LastLine(blind), StringComparison.Ordinal);
        Assert.Contains("next: give this process the keys of the payload codec", blind.Output, StringComparison.Ordinal);

        cli["PLATFORMOPS_CODEC_KEY"] = $"first:{key}";
        var seen = await cli.RunAsync("replay");
        Assert.Equal(4, seen.ExitCode);
        Assert.StartsWith($"1 execution could not be read, provision/secret (run {unknown}) of default: the server does not give it (NotFound)", LastLine(seen), StringComparison.Ordinal);
        Assert.EndsWith("; 1 of our executions replayed", LastLine(seen), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_that_cannot_be_read_is_refused_with_the_numbers_of_its_lines_and_so_is_a_server_that_is_not_there()
    {
        cli["TEMPORAL_ADDRESS"] = "127.0.0.1:1";
        var file = Path.Combine(cli.Home, "executions.jsonl");
        await File.WriteAllTextAsync(file, """
            {"namespace": "default", "workflowId": "provision/one", "runId": "one"}

            a secret
            {"namespace": "default"}
            {"namespace": "default", "workflowId": "provision/one", "runId": 1}
            """, Ct);
        var refused = await cli.RunAsync("replay", "--executions", file);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains($"{file}:3: this is no JSON.\n  {file}:4: workflowId is missing, or no text.\n  {file}:5: runId is no text.\n", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Output + refused.Error, StringComparison.Ordinal);
        Assert.StartsWith("Not everything was replayed: ", LastLine(refused), StringComparison.Ordinal);
        Assert.Equal((2, 2, 5), ((await cli.RunAsync("replay")).ExitCode, (await cli.RunAsync("replay", "provision/one", "--executions", file)).ExitCode, (await cli.RunAsync("replay", "provision/one")).ExitCode));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(8, 8)]
    // What could not be looked at says nothing of the set that a guard tries.
    [InlineData(3, 75)]
    [InlineData(1, 75)]
    public async Task The_example_for_guards_says_what_came_of_it_in_their_exit_codes(int ended, int said)
    {
        await File.WriteAllTextAsync(Path.Combine(cli.Home, "platformops"), $"#!/bin/sh\necho \"$@ of $EXECUTIONS\"; exit {ended}\n", Ct);
        Process.Start("chmod", ["+x", Path.Combine(cli.Home, "platformops")]).WaitForExit();
        var start = new ProcessStartInfo("/bin/sh", [Path.Combine(Tools.Root, "examples", "guard", "replay")]) { RedirectStandardOutput = true };
        (start.Environment["PATH"], start.Environment["EXECUTIONS"]) = ($"{cli.Home}:/usr/bin:/bin", "list");
        using var process = Process.Start(start)!;
        Assert.Equal("replay of list\n", await process.StandardOutput.ReadToEndAsync(Ct));
        await process.WaitForExitAsync(Ct);
        Assert.Equal(said, process.ExitCode);
    }

    private static async Task<TemporalClient> ConnectAsync(BootstrapServerHost server, DataConverter converter) => await TemporalClient.ConnectAsync(new(server.Address) { DataConverter = converter });

    private static string Recorded(string name) => Path.Combine(Histories, $"{name}.json");

    private static string LastLine(CliResult result) => result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];

    private async Task<string> EditedAsync(string name, Func<string, string> edit)
    {
        var file = Path.Combine(cli.Home, $"{name}.json");
        await File.WriteAllTextAsync(file, edit(await File.ReadAllTextAsync(Recorded("approved"), Ct)), Ct);
        return file;
    }

    private async Task<string> ListAsync(params (string Namespace, string WorkflowId, string RunId)[] executions)
    {
        var file = Path.Combine(cli.Home, $"{Guid.NewGuid():N}.jsonl");
        await File.WriteAllLinesAsync(file, executions.Select(one => $$"""{"namespace": "{{one.Namespace}}", "workflowId": "{{one.WorkflowId}}", "runId": "{{one.RunId}}"}"""), Ct);
        return file;
    }
}
