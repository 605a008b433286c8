using PlatformOps.Integration.Tests.CommandLine;

namespace PlatformOps.Integration.Tests.Up;

/// <summary><c>platformops up</c> as a process, each test with a data directory of its own.</summary>
public sealed class UpTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Cli cli = new();

    private string Data => Path.Combine(cli.Home, "data");

    public void Dispose() => cli.Dispose();

    [Fact]
    public async Task Once_ends_healthy_and_a_second_time_changes_nothing()
    {
        var first = await OnceAsync();
        Assert.Equal(0, first.ExitCode);
        Assert.Equal("development", first.Json.GetProperty("environment").GetString());
        Assert.Equal("healthy", first.Json.GetProperty("outcome").GetString());
        Assert.True(first.Json.GetProperty("mutatingCalls").GetInt64() >= first.Json.GetProperty("objects").GetInt32(), first.Output);
        Assert.InRange(first.Json.GetProperty("seconds").GetDouble(), 0.1, Patience.TotalSeconds);
        Assert.StartsWith("provision-development-", first.Json.GetProperty("operationId").GetString(), StringComparison.Ordinal);

        var second = await OnceAsync();
        Assert.Equal(0, second.ExitCode);
        Assert.Equal("healthy", second.Json.GetProperty("outcome").GetString());
        Assert.Equal(0, second.Json.GetProperty("mutatingCalls").GetInt64());
        Assert.Equal(first.Json.GetProperty("objects").GetInt32(), second.Json.GetProperty("objects").GetInt32());
        Assert.Equal(first.Json.GetProperty("components").GetInt32(), second.Json.GetProperty("components").GetInt32());

        var afresh = await OnceAsync("--reset");
        Assert.Equal(0, afresh.ExitCode);
        Assert.Equal(first.Json.GetProperty("mutatingCalls").GetInt64(), afresh.Json.GetProperty("mutatingCalls").GetInt64());
    }

    [Fact]
    public async Task Production_comes_up_in_both_regions_with_an_approval_and_a_second_time_changes_nothing()
    {
        // Eighty-six steps in one process: on a busy machine they take longer than another command may.
        var patience = TimeSpan.FromMinutes(6);
        string[] production = ["up", "production", "--once", "--approve", "--data", Data, "--port", "0", "--time-scale", "0", "--output", "json"];
        var first = await cli.Start(production).EndAsync(patience);
        Assert.Equal(0, first.ExitCode);
        Assert.True(first.Json.GetProperty("components").GetInt32() > 80, first.Output);

        var second = await cli.Start(production).EndAsync(patience);
        Assert.Equal(("healthy", 0L), (second.Json.GetProperty("outcome").GetString(), second.Json.GetProperty("mutatingCalls").GetInt64()));
        Assert.True(second.Json.GetProperty("readCalls").GetInt64() <= 2L * second.Json.GetProperty("objects").GetInt32(), second.Output);
    }

    [Fact]
    public async Task Killed_in_mid_run_it_adopts_what_is_there_and_ends_healthy()
    {
        IReadOnlyDictionary<string, string> before;
        using (var killed = Start())
        {
            await killed.WaitForAsync("healthy     namespaces@us-east-1", Patience);
            await killed.WaitForAsync("running     postgresql@us-east-1", Patience);
            before = await PlatformWorld.UidsAsync(Data);
            await killed.KillAsync();
        }

        Assert.NotEmpty(before);
        using var again = Start();
        await again.WaitForAsync("\"outcome\":\"healthy\"", Patience);
        var after = await PlatformWorld.UidsAsync(Data);
        Assert.All(before, seen => Assert.Equal(seen.Value, after[seen.Key]));
        Assert.True(after.Count > before.Count, $"{before.Count} objects before, {after.Count} after: it was not killed in mid-run.");

        again.Terminate();
        Assert.Equal(0, (await again.EndAsync(Patience)).ExitCode);
        Assert.Equal(0, (await OnceAsync()).Json.GetProperty("mutatingCalls").GetInt64());
    }

    [Fact]
    public async Task A_worker_that_is_killed_in_mid_run_is_replaced_by_another_and_the_same_run_goes_on()
    {
        using var up = Start("--no-worker");
        await Wait.UntilAsync(() => File.Exists(Path.Combine(Data, "running.json")), () => up.Written);
        using (var killed = cli.Start("worker", "--data", Data))
        {
            await up.WaitForAsync("healthy     namespaces@us-east-1", Patience);
            await up.WaitForAsync("running     postgresql@us-east-1", Patience);
            await killed.KillAsync();
        }

        using var replacement = cli.Start("worker", "--data", Data);
        await up.WaitForAsync("\"outcome\":\"healthy\"", Patience);
        var status = await cli.RunAsync("status", "development", "--data", Data, "--output", "json");
        Assert.Contains($"(run {status.Json.GetProperty("runId").GetString()})", up.Written, StringComparison.Ordinal);
        Assert.Equal("healthy", status.Json.GetProperty("outcome").GetString());

        replacement.Terminate();
        Assert.Equal(0, (await replacement.EndAsync(Patience)).ExitCode);
    }

    [Fact]
    public async Task Asked_to_end_in_mid_run_it_says_how_to_go_on()
    {
        using var up = cli.Start("up", "--data", Data, "--port", "0");
        await up.WaitForAsync("running     postgresql@us-east-1", Patience);
        up.Terminate();
        var ended = await up.EndAsync();
        Assert.Equal(130, ended.ExitCode);
        Assert.Contains("Stopped before development was healthy.", ended.Error, StringComparison.Ordinal);
        Assert.Contains("platformops up development", ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ended.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await OnceAsync()).ExitCode);
    }

    [Fact]
    public async Task An_environment_that_wants_approval_parks_and_names_the_command()
    {
        var parked = await cli.RunAsync("up", "staging", "--once", "--data", Data, "--port", "0", "--time-scale", "0.05", "--output", "json");
        Assert.Equal(7, parked.ExitCode);
        Assert.Equal("parked", parked.Json.GetProperty("outcome").GetString());
        Assert.Equal(0, parked.Json.GetProperty("mutatingCalls").GetInt64());
    }

    [Fact]
    public async Task A_specification_with_problems_is_refused_before_anything_is_started()
    {
        var folder = Path.Combine(cli.Home, "platform");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "platform.yaml"), "apiVersion: platformops.io/v1\nkind: Platform\n  name: [\n");
        var refused = await cli.RunAsync("up", "--once", "--data", Data, "--port", "0", "--specification", folder);
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("platform.yaml:", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));
    }

    private Task<CliResult> OnceAsync(params string[] more) =>
        cli.RunAsync(["up", "--once", "--data", Data, "--port", "0", "--time-scale", "0.05", "--output", "json", .. more]);

    /// <summary>In the foreground, with the simulated times that leave room to interfere.</summary>
    private RunningCli Start(params string[] more) =>
        cli.Start(["up", "--data", Data, "--port", "0", "--time-scale", "0.3", "--output", "json", .. more]);
}
