using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.BootstrapServer;
using PlatformOps.Starter.Demos;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Common;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>The demo, as it is run, and the net that it looks for values with.</summary>
public sealed class RotationDemoTests
{
    [Fact]
    public async Task Nobody_is_refused_everybody_is_proved_and_no_value_is_found()
    {
        Assert.SkipWhen(!Directory.Exists("/usr/lib/postgresql"), "Install PostgreSQL (Debian: apt-get install postgresql) to run the tests on a real server.");
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(RotationDemo).Assembly.Location, "demo", "rotation"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var complained = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var said = (await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).TrimEnd().Split('\n');
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{string.Join('\n', said)}{await complained}");
        Assert.Equal(
            """{"outcome":"rotated","rotated":4,"failedAuthentications":0,"failedHandshakes":0,"unprovedConsumers":0,"canariesFound":0}""", JsonNode.Parse(said[^1])!.ToJsonString());
        Assert.Contains(said, line => line.Contains("A certificate of the root of before is accepted by 4 of 4 pods.", StringComparison.Ordinal));
        Assert.Contains(said, line => line.Contains("A certificate of the root of before is accepted by 0 of 4 pods.", StringComparison.Ordinal));
        Assert.Contains(said, line => line.Contains("shop with the old password: no", StringComparison.Ordinal));
        Assert.Contains(said, line => line.Contains("shop_clone is let in: yes", StringComparison.Ordinal));
    }

    /// <summary>A net with a hole would find nothing in a place, whatever is there.</summary>
    [Fact]
    public async Task The_net_finds_what_is_planted_in_each_place_where_it_looks()
    {
        const string canary = "canary-of-thirty-two-characters!";
        var folder = Directory.CreateTempSubdirectory("platformops-canary-").FullName;
        var database = Path.Combine(folder, "bootstrap.db");
        await using var server = await BootstrapServerHost.StartAsync(
            new() { DatabaseFile = database, SearchAttributes = new Dictionary<string, IndexedValueType> { ["Planted"] = IndexedValueType.Keyword } }, Ct);
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        var attribute = SearchAttributeKey.CreateKeyword("Planted");
        foreach (var (place, options) in new (string, WorkflowOptions)[]
        {
            ("histories", new("planted-input", "nobody")),
            ("memos and search attributes", new("planted-memo", "nobody") { Memo = new Dictionary<string, object> { ["m"] = canary } }),
            ("memos and search attributes", new("planted-attribute", "nobody") { TypedSearchAttributes = new SearchAttributeCollection.Builder().Set(attribute, canary).ToSearchAttributeCollection() }),
        })
        {
            var run = await client.StartWorkflowAsync("Planted", place == "histories" ? [new { password = canary }] : [], options);
            Assert.Contains($"{place}: it", await FoundAsync(scan => scan.LookAtRunsAsync(client, Ct)));
            await run.TerminateAsync(place == "histories" ? $"because of {canary}" : null);
            Assert.Contains("histories: it", await FoundAsync(scan => scan.LookAtRunsAsync(client, Ct)));
        }

        var files = new[] { database, $"{database}-wal" };
        Assert.Contains("database: it", await FoundAsync(async scan => await Task.WhenAll(files.Select(file => scan.LookAtFileAsync("database", file, Ct)))));
        Assert.Equal(["log: it"], await FoundAsync(scan => Looked(scan, "log", $"warn: login failed for {canary}")));
        Assert.Equal(["metrics: it"], await FoundAsync(scan => Looked(scan, "metrics", $"up{{password=\"{canary}\"}} 1")));
        Assert.Empty(await FoundAsync(scan => Looked(scan, "log", "warn: login failed")));
        foreach (var plant in new Action<Activity>[]
        {
            span => span.DisplayName = $"log in with {canary}",
            span => span.SetTag("url.full", $"https://example.com/?token={canary}"),
            span => span.SetTag("arguments", new[] { "-p", canary }),
            span => span.AddEvent(new("exception", tags: new() { ["exception.message"] = $"{canary} was refused" })),
            span => span.SetStatus(ActivityStatusCode.Error, $"{canary} was refused"),
            span => span.SetBaggage("password", canary),
        })
        {
            using var traces = new TraceRecorder();
            using var source = new ActivitySource("somebody");
            using (var span = source.StartActivity("work"))
                plant(span!);
            Assert.Equal(["traces: it"], await FoundAsync(scan => Looked(scan, "traces", traces.Text)));
            Assert.Contains("somebody", traces.Sources);
        }

        Directory.Delete(folder, recursive: true);

        async Task<IReadOnlyList<string>> FoundAsync(Func<CanaryScan, Task> look)
        {
            var scan = new CanaryScan();
            scan.LookFor("it", canary);
            await look(scan);
            return scan.Found;
        }

        static Task Looked(CanaryScan scan, string place, string text)
        {
            scan.Look(place, text);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public void The_net_finds_a_private_key_as_it_is_and_in_any_writing()
    {
        // Bytes whose Base64 has a sign in every line that JSON escapes.
        byte[] key = [.. Enumerable.Repeat<byte[]>([0xfb, 0xef, 0xbe, 0x01, 0x02, 0x03], 24).SelectMany(part => part)];
        var pem = PemEncoding.WriteString("PRIVATE KEY", key);
        Assert.All(pem.Split('\n')[1..^1], line => Assert.Contains("+", line, StringComparison.Ordinal));
        foreach (var written in new[] { Encoding.UTF8.GetBytes(pem), key, JsonSerializer.SerializeToUtf8Bytes(new { pem }), Encoding.UTF8.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(pem))) })
        {
            var scan = new CanaryScan();
            scan.LookForKey("it", pem);
            scan.Look("here", [1, 2, .. written, 3]);
            Assert.Equal(["here: it"], scan.Found);
        }
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("canary-of-thirty-two-characters!")]
    [InlineData("x7Kq0ZpL9mNaB3cD")]
    [InlineData("a+b<c>\"d&e'f/0123456789")]
    public void The_net_finds_a_value_in_every_encoding_and_position(string value)
    {
        for (var before = 0; before < 7; before++)
        {
            var text = $"{new string('a', before)}{value}\n";
            foreach (var written in new[] { text, Convert.ToBase64String(Encoding.UTF8.GetBytes(text)), Convert.ToBase64String(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { p = text }))) })
            {
                var scan = new CanaryScan();
                scan.LookFor("it", value);
                scan.Look("here", $"some text {written} and more");
                Assert.Equal(["here: it"], scan.Found);
            }
        }

        var other = new CanaryScan();
        other.LookFor("it", value);
        other.Look("here", "some text without it");
        Assert.Empty(other.Found);
    }
}
