using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Integration.Tests.Deployment;

/// <summary>What the Job of <c>elasticsearch-exporter</c> runs, against the stand-in of Elasticsearch.</summary>
public sealed class ExporterUserTests : IDisposable
{
    private const string Login = "elasticsearch-exporter";

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-exporter-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_user_may_look_at_the_cluster_only_and_who_is_there_already_is_left_to_the_rotation()
    {
        await using var elasticsearch = await ExternalStandIn.StartAsync();
        Secret("admin", "elastic", elasticsearch.Token);

        // Run twice: its pod may die after the effect.
        Secret("exporter", Login, "the-first-password");
        for (var run = 0; run < 2; run++)
            Assert.Equal("", await RunAsync(elasticsearch));
        Assert.Equal("""{"cluster":["monitor"]}""", (await GetAsync(elasticsearch, "role/" + Login, "elastic", elasticsearch.Token))![Login]!.ToJsonString());
        Assert.Equal("""["elasticsearch-exporter"]""", (await GetAsync(elasticsearch, "_authenticate", Login, "the-first-password"))!["roles"]!.ToJsonString());

        // The Secret of a later turn. Who has the other turn is there for the next one, and nobody gets in with it.
        Secret("exporter", Login + "_clone", "the-second-password");
        Assert.Equal("", await RunAsync(elasticsearch));
        Assert.NotNull(await GetAsync(elasticsearch, "_authenticate", Login + "_clone", "the-second-password"));
        Assert.NotNull(await GetAsync(elasticsearch, "_authenticate", Login, "the-first-password"));

        await using var restored = await ExternalStandIn.StartAsync(token: elasticsearch.Token);
        Assert.Equal("", await RunAsync(restored));
        Assert.NotNull(await GetAsync(restored, "_authenticate", Login + "_clone", "the-second-password"));
        Assert.Null(await GetAsync(restored, "_authenticate", Login, "the-second-password"));
    }

    [Fact]
    public async Task A_login_that_is_refused_is_said_and_its_password_is_not()
    {
        await using var elasticsearch = await ExternalStandIn.StartAsync();
        Secret("admin", "elastic", "canary-of-the-admin");
        Secret("exporter", Login, "canary-of-the-exporter");

        var said = await RunAsync(elasticsearch);

        Assert.Contains("401", said, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", said, StringComparison.Ordinal);
    }

    private void Secret(string name, string username, string password)
    {
        Directory.CreateDirectory(Path.Combine(folder, name));
        File.WriteAllText(Path.Combine(folder, name, "username"), username);
        File.WriteAllText(Path.Combine(folder, name, "password"), password);
    }

    /// <returns>What it said of failures; empty: it ended well.</returns>
    private async Task<string> RunAsync(ExternalStandIn elasticsearch)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Tools.Root, "k8s", "components", "elasticsearch-exporter", "user.yaml"), TestContext.Current.CancellationToken);
        var script = string.Join('\n', lines.SkipWhile(line => line != "  make.sh: |").Skip(1).TakeWhile(line => line != "---")).Replace("/var/run", folder, StringComparison.Ordinal)
            .Replace("http://elasticsearch:9200/", elasticsearch.Address("elasticsearch").AbsoluteUri, StringComparison.Ordinal);
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? "" : $"{process.ExitCode}: {said}";
    }

    /// <returns>Null: the login is refused.</returns>
    private static async Task<JsonNode?> GetAsync(ExternalStandIn elasticsearch, string path, string user, string password)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        using var answer = await client.GetAsync(new Uri(elasticsearch.Address("elasticsearch"), $"_security/{path}"), TestContext.Current.CancellationToken);
        return answer.IsSuccessStatusCode ? JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)) : null;
    }
}
