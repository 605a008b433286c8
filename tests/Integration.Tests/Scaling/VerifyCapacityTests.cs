using System.Xml.Linq;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Connection;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Scaling;

/// <summary>A load on a real server, and that nothing of it is left.</summary>
public sealed class VerifyCapacityTests : IAsyncLifetime
{
    private readonly Cli cli = new();
    private BootstrapServerHost server = null!;
    private TemporalClient client = null!;

    public async ValueTask InitializeAsync()
    {
        server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        client = await TemporalClient.ConnectAsync(new(server.Address));
        cli["TEMPORAL_ADDRESS"] = server.Address;
    }

    public async ValueTask DisposeAsync()
    {
        cli.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Every_step_is_measured_drawn_and_removed()
    {
        var picture = Path.Combine(cli.Home, "capacity.svg");
        // Generous: it is not this machine that is measured.
        var result = await cli.RunAsync(
            "verify-capacity", "development", "--starts", "20", "--activities", "40", "--open", "10", "--steps", "50,100", "--step", "1s", "--start-within", "1m", "--pick-up-within", "1m", "--svg", picture, "--yes", "--output", "json");

        Assert.True(result.ExitCode is 0 or 8, result.Error);
        var steps = result.Json.GetProperty("steps").EnumerateArray().ToList();
        Assert.All(steps, step => Assert.True(step.GetProperty("started").GetInt32() > 0 && step.GetProperty("starts").GetProperty("p99").GetDouble() > 0, step.ToString()));
        Assert.Equal(0, result.Json.GetProperty("left").GetInt32());
        Assert.Equal(steps.Count * 3, XDocument.Load(picture).Descendants().Count(element => (string?)element.Attribute("class") == "bar"));
        await NothingIsLeftAsync();
    }

    [Fact]
    public async Task A_load_that_is_interrupted_removes_what_it_started_and_one_that_is_killed_is_found_and_removed_by_the_next()
    {
        using var interrupted = Start();
        await UntilSomeRunAsync(interrupted);
        interrupted.Terminate();
        var ended = await interrupted.EndAsync();
        Assert.Equal((130, "interrupted", 0), (ended.ExitCode, ended.Json.GetProperty("outcome").GetString(), ended.Json.GetProperty("left").GetInt32()));
        await NothingIsLeftAsync();

        using var killed = Start();
        await UntilSomeRunAsync(killed);
        await killed.KillAsync();
        var refused = await Start().EndAsync();
        Assert.Equal(9, refused.ExitCode);
        Assert.Contains("--clean", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await cli.RunAsync("verify-capacity", "development", "--clean", "--yes")).ExitCode);
        await NothingIsLeftAsync();
    }

    [Theory]
    [InlineData("--steps", "50,10")]
    [InlineData("--starts", "0")]
    [InlineData("--step", "1ms")]
    public async Task Bad_input_names_its_option(string option, string value)
    {
        var result = await cli.RunAsync("verify-capacity", "development", option, value, "--yes", "--output", "json");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(option, result.JsonError.GetProperty("error").GetProperty("what").GetString(), StringComparison.Ordinal);
    }

    private RunningCli Start() => cli.Start("verify-capacity", "development", "--starts", "20", "--activities", "20", "--open", "1000", "--steps", "100", "--step", "1h", "--start-within", "1m", "--pick-up-within", "1m", "--yes", "--output", "json");

    private Task UntilSomeRunAsync(RunningCli load) => Wait.UntilAsync(async () => await CountAsync() > 5, () => load.Written, TimeSpan.FromMinutes(3));

    private Task NothingIsLeftAsync() => Wait.UntilAsync(async () => await CountAsync() == 0, () => "Workflows of the load are left.", TimeSpan.FromMinutes(3));

    private async Task<long> CountAsync() => (await client.CountWorkflowsAsync("")).Count;
}
