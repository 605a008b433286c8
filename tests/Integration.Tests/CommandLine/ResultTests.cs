using System.Diagnostics;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.CommandLine;

/// <summary>What commands print when all goes well.</summary>
public sealed class ResultTests : IDisposable
{
    private readonly Cli cli = new();

    public void Dispose() => cli.Dispose();

    [Theory]
    [InlineData("validate", "valid")]
    [InlineData("version", "version")]
    [InlineData("runbooks", "runbooks")]
    [InlineData("completion bash", "script")]
    [InlineData("schema platform", "$schema")]
    [InlineData("schema environment", "$schema")]
    [InlineData("schema component", "$schema")]
    public async Task Output_json_prints_exactly_one_object(string line, string property)
    {
        var result = await cli.RunAsync([.. line.Split(' '), "--output", "json"]);
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        Assert.Single(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.True(result.Json.TryGetProperty(property, out _), result.Output);
    }

    [Fact]
    public async Task Validate_needs_no_server_and_counts_what_each_environment_consists_of()
    {
        cli["TEMPORAL_ADDRESS"] = "127.0.0.1:1";
        var result = await cli.RunAsync("validate");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("reference is valid", result.Output, StringComparison.Ordinal);
        Assert.Matches("development: [0-9]+ components, [0-9]+ objects in us-east-1", result.Output);
    }

    [Fact]
    public async Task Without_arguments_the_commands_are_listed()
    {
        var result = await cli.RunAsync();
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Commands:", result.Output, StringComparison.Ordinal);
        Assert.Matches("\n  provision <environment> +Bring an environment", result.Output);
    }

    [Fact]
    public async Task Runbooks_are_described_so_that_any_client_can_start_them()
    {
        var result = await cli.RunAsync("runbooks", "ProvisionEnvironment", "--output", "json");
        var runbook = Assert.Single(result.Json.GetProperty("runbooks").EnumerateArray());
        Assert.Equal("provision/{environment}", runbook.GetProperty("id").GetString());
        Assert.Equal("platformops", runbook.GetProperty("taskQueue").GetString());
        var input = runbook.GetProperty("input");
        Assert.Equal("environment", Assert.Single(input.GetProperty("required").EnumerateArray()).GetString());
        Assert.Equal("string", input.GetProperty("properties").GetProperty("environment").GetProperty("type").GetString());
        Assert.Contains("""--input '{"environment":"development"}'""", runbook.GetProperty("start").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_on_a_free_port_answers_the_official_client_and_ends_well()
    {
        using var server = cli.Start("server", "--port", "0", "--namespace", "staging", "--output", "json");
        await server.WaitForAsync("\"address\":");
        var address = System.Text.Json.JsonDocument.Parse(server.Written.Split('\n')[0]).RootElement.GetProperty("address").GetString()!;
        var client = await TemporalClient.ConnectAsync(new(address) { Namespace = "staging" });
        Assert.True(await client.Connection.CheckHealthAsync());
        Assert.Equal(0, (await client.CountWorkflowsAsync("")).Count);

        server.Terminate();
        Assert.Equal(0, (await server.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task A_server_with_a_database_goes_on_after_it_was_killed()
    {
        var file = Path.Combine(cli.Home, "runs.db");
        foreach (var expected in new[] { 0, 1 })
        {
            using var server = cli.Start("server", "--port", "0", "--database", file, "--output", "json");
            await server.WaitForAsync("\"address\":");
            var address = System.Text.Json.JsonDocument.Parse(server.Written.Split('\n')[0]).RootElement.GetProperty("address").GetString()!;
            var client = await TemporalClient.ConnectAsync(new(address));
            Assert.Equal(expected, (await client.CountWorkflowsAsync("")).Count);
            await client.StartWorkflowAsync("Nobody", [], new("one", "nowhere") { IdConflictPolicy = Temporalio.Api.Enums.V1.WorkflowIdConflictPolicy.UseExisting });
            await server.KillAsync();
        }
    }

    [Fact]
    public async Task A_database_that_is_no_database_is_named()
    {
        var file = Path.Combine(cli.Home, "notes.txt");
        await File.WriteAllTextAsync(file, string.Join('\n', Enumerable.Repeat("not a database", 100)));
        var refused = await cli.RunAsync("server", "--port", "0", "--database", file);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(file, refused.Error, StringComparison.Ordinal);
        Assert.Contains("next: ", refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("platformops va", "validate")]
    [InlineData("platformops status ", "development,production,staging")]
    [InlineData("platformops completion ", "bash,fish,zsh")]
    [InlineData("platformops version --output ", "json,text")]
    public async Task The_program_itself_knows_the_completions(string line, string expected)
    {
        var result = await cli.RunAsync($"[suggest:{line.Length}]", line);
        var offered = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Trim()).ToList();
        Assert.All(expected.Split(','), word => Assert.Contains(word, offered));
    }

    [Fact]
    public async Task The_bash_script_completes_in_bash()
    {
        var script = Path.Combine(cli.Home, "completion.bash");
        await File.WriteAllTextAsync(script, (await cli.RunAsync("completion", "bash")).Output);
        const string Ask =
            "cd \"$1\"; platformops() { dotnet exec \"$program\" \"$@\"; }; program=$2; . ./completion.bash;"
            + "COMP_LINE='platformops stat'; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(platformops stat); COMP_CWORD=1; _platformops; echo \"${COMPREPLY[@]}\"";
        using var bash = Process.Start(new ProcessStartInfo("bash", ["--norc", "-c", Ask, "bash", cli.Home, Cli.Program]) { RedirectStandardOutput = true })!;
        var offered = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("status", offered.Trim());
    }
}
