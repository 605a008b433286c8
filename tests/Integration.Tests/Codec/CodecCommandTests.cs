using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Codec;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Codec;
using PlatformOps.Starter.Connection;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Codec;

/// <summary>The codec from the command line, and as an endpoint for the Temporal UI.</summary>
public sealed class CodecCommandTests : IAsyncLifetime
{
    private const string Ui = "https://temporal.example.com";

    private readonly Cli cli = new();
    private string folder = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        folder = Path.Combine(cli.Home, "keys");
        Directory.CreateDirectory(folder);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        cli.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_key_is_made_shown_by_its_fingerprint_and_used_by_every_command()
    {
        var made = await cli.RunAsync("codec", "new-key", "2026-11");
        await File.WriteAllTextAsync(Path.Combine(folder, "2026-11"), made.Output, Ct);
        cli["PLATFORMOPS_CODEC_KEYS"] = folder;
        var shown = await cli.RunAsync("codec", "keys", "--output", "json");
        Assert.Equal((0, "2026-11"), (shown.ExitCode, shown.Json.GetProperty("active").GetString()));
        Assert.DoesNotContain(made.Output.Trim(), shown.Output, StringComparison.Ordinal);

        await using var server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        cli["TEMPORAL_ADDRESS"] = server.Address;
        Assert.Equal(0, (await cli.RunAsync("drift", "schedule", "development", "--every", "1h")).ExitCode);
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        var input = (await client.WorkflowService.DescribeScheduleAsync(new() { Namespace = "default", ScheduleId = "drift/development" })).Schedule.Action.StartWorkflow.Input.Payloads_.Single();
        Assert.Equal("2026-11", input.Metadata["encryption-key-id"].ToStringUtf8());
        Assert.Contains("\"environment\":\"development\"", (await cli.RunAsync("schedules", "describe", "development", "drift")).Output, StringComparison.Ordinal);

        cli["PLATFORMOPS_CODEC_KEYS"] = "";
        var refused = await cli.RunAsync("schedules", "describe", "development", "drift");
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("the key '2026-11', which this process does not have", refused.Error, StringComparison.Ordinal);
        Assert.Equal(3, (await cli.RunAsync("codec", "keys")).ExitCode);
        await File.WriteAllTextAsync(Path.Combine(folder, "active"), "2026-12", Ct);
        cli["PLATFORMOPS_CODEC_KEYS"] = folder;
        var wrong = await cli.RunAsync("worker");
        Assert.Equal(3, wrong.ExitCode);
        Assert.Contains("the key '2026-12' is to encode, and there is none of that id", wrong.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("nowhere")]
    public async Task An_endpoint_for_others_needs_tls_and_a_token(string listen)
    {
        cli["PLATFORMOPS_CODEC_KEY"] = $"first:{CodecKey.Generate().Reveal()}";
        Assert.Equal(2, (await cli.RunAsync("codec", "serve", "--listen", listen)).ExitCode);
    }

    [Fact]
    public async Task The_temporal_ui_decodes_with_a_token_from_its_own_page_alone()
    {
        var token = Path.Combine(cli.Home, "token");
        await File.WriteAllTextAsync(token, "open sesame\n", Ct);
        var keys = new CodecKeys(() => CodecKeyFiles.ReadText($"first:{CodecKey.Generate().Reveal()}", "the test"), TimeProvider.System);
        using var log = new ServerLog(verbose: false);
        await using var server = await CodecServer.StartAsync(keys, new(new(IPAddress.Loopback, 0), [Ui], token, null, null), log, Ct);
        using var http = new HttpClient { BaseAddress = new(server.Address) };
        const string Given = """{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"ImNhbmFyeSI="}]}""";

        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(http, "/encode", Given)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "open sesame");
        http.DefaultRequestHeaders.Add("X-Namespace", "runbooks");
        http.DefaultRequestHeaders.Add("Origin", Ui);
        var encoded = await PostAsync(http, "/encode", Given);
        var text = await encoded.Content.ReadAsStringAsync(Ct);
        Assert.Equal((HttpStatusCode.OK, Ui), (encoded.StatusCode, Assert.Single(encoded.Headers.GetValues("Access-Control-Allow-Origin"))));
        var metadata = JsonNode.Parse(text)!["payloads"]![0]!["metadata"]!;
        Assert.Equal("runbooks", Encoding.UTF8.GetString(Convert.FromBase64String((string)metadata["encryption-namespace"]!)));
        var decoded = JsonSerializer.Deserialize<JsonElement>(await (await PostAsync(http, "/runbooks/decode", text)).Content.ReadAsStringAsync(Ct));
        Assert.Equal("ImNhbmFyeSI=", decoded.GetProperty("payloads")[0].GetProperty("data").GetString());

        var broken = await PostAsync(http, "/decode", text.Replace((string)metadata["encryption-key-id"]!, Convert.ToBase64String("gone"u8), StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.BadRequest, broken.StatusCode);
        Assert.Contains("the key 'gone'", await broken.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(http, "/decode", "[]")).StatusCode);

        using var ask = new HttpRequestMessage(HttpMethod.Options, "/decode");
        var allowed = await http.SendAsync(ask, Ct);
        Assert.Contains("authorization", Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Headers")), StringComparison.Ordinal);
        http.DefaultRequestHeaders.Remove("Origin");
        http.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example.com");
        using var other = new HttpRequestMessage(HttpMethod.Options, "/decode");
        Assert.False((await http.SendAsync(other, Ct)).Headers.Contains("Access-Control-Allow-Origin"));
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient http, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await http.PostAsync(new Uri(path, UriKind.Relative), content, Ct);
    }
}
