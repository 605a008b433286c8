using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Bootstrap;

/// <summary>Moving the bootstrap cluster from the command line.</summary>
public sealed class BootstrapCommandTests : IAsyncLifetime
{
    private readonly Cli cli = new();
    private BootstrapServerHost laptop = null!, durable = null!;
    private TemporalClient client = null!;

    public async ValueTask InitializeAsync()
    {
        laptop = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        durable = await BootstrapServerHost.StartAsync(new());
        client = await TemporalClient.ConnectAsync(new(laptop.Address) { DataConverter = PlatformOpsDataConverter.Instance });
        cli["TEMPORAL_ADDRESS"] = laptop.Address;
    }

    public async ValueTask DisposeAsync()
    {
        cli.Dispose();
        await laptop.DisposeAsync();
        await durable.DisposeAsync();
    }

    [Fact]
    public async Task Plan_refusal_move_and_what_is_said_at_the_cluster_that_was_left()
    {
        // Seldom enough to start nothing meanwhile: its run would have to end first.
        Assert.Equal(0, (await cli.RunAsync("drift", "schedule", "development", "--every", "1000d")).ExitCode);
        await client.StartWorkflowAsync(nameof(ProvisionEnvironment), [new ProvisionEnvironmentInput { Environment = "development" }], new("provision/development", TaskQueues.Default));
        using var worker = cli.Start("worker", "--task-queue", "nothing");
        await worker.WaitForAsync("Worker: polls nothing");

        var unended = await cli.RunAsync("bootstrap", "pivot", "--to", durable.Address, "--to-namespace", "runbooks", "--yes", "--output", "json");
        await client.GetWorkflowHandle("provision/development").TerminateAsync();
        var unasked = await cli.RunAsync("bootstrap", "pivot", "--to", durable.Address, "--to-namespace", "runbooks");
        var planned = await cli.RunAsync("bootstrap", "pivot", "--to", durable.Address, "--to-namespace", "runbooks", "--plan", "--output", "json");
        var untouched = await cli.RunAsync("bootstrap", "status", "--output", "json");
        var moved = await cli.RunAsync("bootstrap", "pivot", "--to", durable.Address, "--to-namespace", "runbooks", "--yes", "--output", "json");
        Assert.True(moved.ExitCode == 0, moved.Error);
        await worker.WaitForAsync($"Worker: stands by. It is not the active bootstrap cluster any more: that is {durable.Address}/runbooks", TimeSpan.FromMinutes(2));
        var again = await cli.RunAsync("bootstrap", "pivot", "--to", durable.Address, "--to-namespace", "runbooks", "--yes", "--output", "json");
        var late = await cli.RunAsync("drift", "schedule", "development", "--every", "2h", "--output", "json");
        var back = await cli.RunAsync("bootstrap", "pivot", "--to", durable.Address, "--to-namespace", "runbooks", "--abort", "--yes");
        cli["TEMPORAL_ADDRESS"] = durable.Address;
        cli["TEMPORAL_NAMESPACE"] = "runbooks";
        var there = await cli.RunAsync("bootstrap", "status", "--output", "json");

        Assert.Equal((6, "waiting", "provision/development"), (unended.ExitCode, unended.Json.GetProperty("outcome").GetString(), unended.Json.GetProperty("waitingFor")[0].GetString()));
        Assert.Equal(2, unasked.ExitCode);
        Assert.Equal((0, "planned", 9), (planned.ExitCode, planned.Json.GetProperty("outcome").GetString(), planned.Json.GetProperty("steps").GetArrayLength()));
        Assert.Equal(("active", 1, true), (untouched.Json.GetProperty("role").GetString(), untouched.Json.GetProperty("epoch").GetInt32(), untouched.Json.GetProperty("takesWork").GetBoolean()));
        Assert.Equal(("done", $"{durable.Address}/runbooks", 2), (moved.Json.GetProperty("outcome").GetString(), moved.Json.GetProperty("active").GetString(), moved.Json.GetProperty("epoch").GetInt32()));
        Assert.Equal(planned.Json.GetProperty("steps").ToString(), moved.Json.GetProperty("steps").ToString());
        Assert.Equal((0, 0), (again.ExitCode, again.Json.GetProperty("steps").GetArrayLength()));
        Assert.Equal(6, late.ExitCode);
        Assert.Contains($"{durable.Address}/runbooks", late.JsonError.GetProperty("error").GetProperty("next").GetString(), StringComparison.Ordinal);
        Assert.Equal(6, back.ExitCode);
        Assert.Contains("no way back", back.Error, StringComparison.Ordinal);
        Assert.Equal(("active", "schedule drift/development"), (there.Json.GetProperty("role").GetString(), there.Json.GetProperty("work")[0].GetString()));
    }

    [Fact]
    public async Task What_was_typed_wrongly_is_said()
    {
        var nowhere = await cli.RunAsync("bootstrap", "pivot", "--yes");
        var itself = await cli.RunAsync("bootstrap", "pivot", "--to", laptop.Address, "--yes");
        var dead = await cli.RunAsync("bootstrap", "pivot", "--to", "127.0.0.1:1", "--yes");
        var soon = await cli.RunAsync("bootstrap", "pivot", "--to", durable.Address, "--wait", "soon");

        Assert.Equal((2, 6, 5, 2), (nowhere.ExitCode, itself.ExitCode, dead.ExitCode, soon.ExitCode));
        Assert.Contains("--to or --to-profile", nowhere.Error, StringComparison.Ordinal);
        Assert.Contains("the same namespace", itself.Error, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1", dead.Error, StringComparison.Ordinal);
        Assert.Contains("--wait is 'soon'", soon.Error, StringComparison.Ordinal);
    }
}
