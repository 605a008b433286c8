using System.Net;
using System.Text.Json;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.CommandLine;

/// <summary>A worker on its own.</summary>
public sealed class WorkerTests : IDisposable
{
    private readonly Cli cli = new();

    public void Dispose() => cli.Dispose();

    [Theory]
    [InlineData("mine")]
    [InlineData("mine.rotation", "--domain", "Rotation", "--grace", "20")]
    public async Task Polls_the_server_that_it_was_given_and_ends_well_when_asked(string polled, params string[] options)
    {
        using var server = cli.Start("server", "--port", "0", "--output", "json");
        await server.WaitForAsync("\"address\":");
        cli["TEMPORAL_ADDRESS"] = JsonDocument.Parse(server.Written.Split('\n')[0]).RootElement.GetProperty("address").GetString()!;

        using var worker = cli.Start(["worker", "--task-queue", "mine", "--output", "json", .. options]);
        await worker.WaitForAsync($"\"taskQueue\":\"{polled}\"");
        worker.Terminate();

        var ended = await worker.EndAsync();
        Assert.Equal(0, ended.ExitCode);
        Assert.Equal("default", ended.Json.GetProperty("namespace").GetString());
    }

    [Fact]
    public async Task Is_alive_and_not_ready_while_the_server_does_not_answer()
    {
        using var server = cli.Start("server", "--port", "0", "--output", "json");
        await server.WaitForAsync("\"address\":");
        var address = JsonDocument.Parse(server.Written.Split('\n')[0]).RootElement.GetProperty("address").GetString()!;
        cli["TEMPORAL_ADDRESS"] = address;
        var here = $"127.0.0.1:{LocalPorts.Take()}";
        using var worker = cli.Start("worker", "--task-queue", "mine", "--health", here);
        using var http = new HttpClient { BaseAddress = new Uri($"http://{here}") };
        await Wait.UntilAsync(async () => await ReadyAsync() is (HttpStatusCode.OK, """{"ready":true,"polls":true}"""), () => worker.Written);

        server.Terminate();
        await server.EndAsync();

        await Wait.UntilAsync(async () => (await ReadyAsync()).Status == HttpStatusCode.ServiceUnavailable, () => worker.Written);
        Assert.Contains($"The Temporal server at {address} does not answer.", (await ReadyAsync()).Said, StringComparison.Ordinal);
        Assert.Equal("alive", await http.GetStringAsync(new Uri("/healthz", UriKind.Relative), TestContext.Current.CancellationToken));

        async Task<(HttpStatusCode? Status, string Said)> ReadyAsync()
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken);
                return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
            catch (HttpRequestException failure)
            {
                return (null, failure.Message);
            }
        }
    }

    [Theory]
    [InlineData("--health", "everywhere")]
    [InlineData("--metrics", "127.0.0.1")]
    public async Task An_address_that_cannot_be_used_is_named(string option, string address)
    {
        var result = await cli.RunAsync("worker", option, address);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains($"The {option[2..]} address \"{address}\" cannot be used.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_server_it_ends_with_5_and_names_the_address()
    {
        cli["TEMPORAL_ADDRESS"] = "127.0.0.1:1";
        var result = await cli.RunAsync("worker");
        Assert.Equal(5, result.ExitCode);
        Assert.Contains("127.0.0.1:1", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "nowhere.json")]
    [InlineData("{\"regions\": {\"us-east-1\": {\"kubeconfg\": \"x\"}}}", "kubeconfg")]
    [InlineData("regions:", "connections.json")]
    public async Task A_connections_file_that_is_wrong_ends_with_3_and_is_named(string? text, string named)
    {
        var file = Path.Combine(cli.Home, text is null ? "nowhere.json" : "connections.json");
        if (text is not null)
            await File.WriteAllTextAsync(file, text);
        var result = await cli.RunAsync("worker", "--connections", file);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains(file, result.Error, StringComparison.Ordinal);
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
    }
}
