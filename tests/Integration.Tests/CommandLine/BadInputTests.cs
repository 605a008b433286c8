namespace PlatformOps.Integration.Tests.CommandLine;

/// <summary>Mistakes end in a message that names the thing and the next step, never in a stack trace.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly Cli cli = new();

    public void Dispose() => cli.Dispose();

    [Theory]
    [InlineData("provison development", "'provison'", "The commands are: ", "platformops --help")]
    [InlineData("validate --strict", "'--strict'", "", "platformops validate --help")]
    [InlineData("validate everything", "'everything'", "", "platformops validate --help")]
    [InlineData("plan", "'environment'", "", "platformops plan --help")]
    [InlineData("version --output xml", "--output is 'xml'", "text or json", "platformops version --help")]
    [InlineData("version --output", "'--output'", "", "platformops version --help")]
    [InlineData("server --port many", "--port is 'many'", "0 to 65535", "platformops server --help")]
    [InlineData("server --port 65536", "--port is '65536'", "0 to 65535", "platformops server --help")]
    [InlineData("server --port -1", "--port is '-1'", "0 to 65535", "platformops server --help")]
    [InlineData("server --host localhost", "--host is 'localhost'", "127.0.0.1", "platformops server --help")]
    [InlineData("server --search-attribute Owner=Word", "Owner=Word", "Keyword", "platformops server --search-attribute")]
    [InlineData("up qa", "\"qa\"", "development, production, staging", "--specification")]
    [InlineData("up --time-scale fast", "--time-scale is 'fast'", "0 to 1000", "platformops up --help")]
    [InlineData("up --time-scale -1", "--time-scale is '-1'", "0 to 1000", "platformops up --help")]
    [InlineData("up --seed x", "--seed is 'x'", "number", "platformops up --help")]
    [InlineData("up --port x", "--port is 'x'", "0 to 65535", "platformops up --help")]
    [InlineData("demo backup --megabytes 0", "--megabytes is '0'", "1 to 100000", "platformops demo backup --help")]
    [InlineData("demo backup --megabytes -1", "--megabytes is '-1'", "1 to 100000", "platformops demo backup --help")]
    [InlineData("demo backup --megabytes 100001", "--megabytes is '100001'", "1 to 100000", "platformops demo backup --help")]
    [InlineData("demo backup --megabytes many", "--megabytes is 'many'", "1 to 100000", "platformops demo backup --help")]
    [InlineData("demo backup --megabytes", "'--megabytes'", "", "platformops demo backup --help")]
    [InlineData("demo backup --specification nowhere --megabytes 0", "--megabytes is '0'", "1 to 100000", "platformops demo backup --help")]
    [InlineData("demo rotation --consumers 501", "--consumers is '501'", "1 to 500", "platformops demo rotation --help")]
    [InlineData("completion tcsh", "'tcsh'", "'bash'", "platformops completion --help")]
    [InlineData("schema cluster", "'cluster'", "'platform'", "platformops schema --help")]
    [InlineData("plan qa", "\"qa\"", "development, production, staging", "--specification")]
    [InlineData("provision qa", "\"qa\"", "development, production, staging", "--specification")]
    [InlineData("status qa", "\"qa\"", "development, production, staging", "--specification")]
    [InlineData("abort qa --reason test --yes", "\"qa\"", "development, production, staging", "--specification")]
    [InlineData("abort development", "'--reason'", "", "platformops abort --help")]
    public async Task A_mistake_on_the_command_line_ends_with_2(string line, string thing, string known, string next)
    {
        var text = await cli.RunAsync(line.Split(' '));
        Assert.Equal(2, text.ExitCode);
        Assert.Empty(text.Output);
        Assert.Contains(thing, text.Error, StringComparison.Ordinal);
        Assert.Contains(known, text.Error, StringComparison.Ordinal);
        Assert.Contains("  next: ", text.Error, StringComparison.Ordinal);
        Assert.Contains(next, text.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", text.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "server --port many")]
    [InlineData(2, "nonsense")]
    [InlineData(2, "plan qa")]
    [InlineData(3, "validate --catalog nowhere")]
    [InlineData(4, "runbooks Nonsense")]
    [InlineData(5, "plan development")]
    public async Task With_output_json_a_failure_is_one_object_on_standard_error(int exitCode, string line)
    {
        // Nothing listens there; at the default address somebody may.
        if (exitCode == 5)
            cli["TEMPORAL_ADDRESS"] = "127.0.0.1:1";
        var result = await cli.RunAsync([.. line.Split(' '), "--output", "json"]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var error = result.JsonError.GetProperty("error");
        Assert.Equal(exitCode, error.GetProperty("exitCode").GetInt32());
        Assert.All(new[] { "what", "why", "next" }, field => Assert.NotEmpty(error.GetProperty(field).GetString()!));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_named_with_where_its_address_comes_from()
    {
        cli["TEMPORAL_ADDRESS"] = "127.0.0.1:1";
        var result = await cli.RunAsync("status", "development");
        Assert.Equal(5, result.ExitCode);
        Assert.Contains("127.0.0.1:1", result.Error, StringComparison.Ordinal);
        Assert.Contains("TEMPORAL_*", result.Error, StringComparison.Ordinal);
        Assert.Contains("platformops up", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_specification_with_problems_ends_with_3_and_lists_all_of_them_with_their_lines()
    {
        var folder = Path.Combine(cli.Home, "platform");
        Directory.CreateDirectory(Path.Combine(folder, "environments"));
        await File.WriteAllTextAsync(Path.Combine(folder, "platform.yaml"), "apiVersion: platformops.io/v1\nkind: Platform\nname: broken\ncolour: red\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "environments", "a.yaml"), "apiVersion: platformops.io/v1\nkind: Environment\nname: [a\n");
        var result = await cli.RunAsync("validate", "--specification", folder, "--output", "json");
        Assert.Equal(3, result.ExitCode);
        Assert.False(result.Json.GetProperty("valid").GetBoolean());
        var problems = result.Json.GetProperty("problems").EnumerateArray().ToList();
        Assert.True(problems.Count >= 2, result.Output);
        Assert.All(problems, problem => Assert.True(problem.GetProperty("line").GetInt32() > 0));
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_with_9_and_names_the_address()
    {
        using var first = cli.Start("server", "--port", "0", "--output", "json");
        await first.WaitForAsync("\"port\":");
        var port = System.Text.Json.JsonDocument.Parse(first.Written.Split('\n')[0]).RootElement.GetProperty("port").GetInt32();
        var second = await cli.RunAsync("server", "--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(9, second.ExitCode);
        Assert.Contains($"127.0.0.1:{port}", second.Error, StringComparison.Ordinal);
        Assert.Contains("--port", second.Error, StringComparison.Ordinal);
    }
}
