using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using PlatformOps.Starter.Demos;

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
            """{"outcome":"rotated","rotated":2,"failedAuthentications":0,"unprovedConsumers":0,"canariesFound":0}""", JsonNode.Parse(said[^1])!.ToJsonString());
        Assert.Contains(said, line => line.Contains("shop with the old password: no", StringComparison.Ordinal));
        Assert.Contains(said, line => line.Contains("shop_clone is let in: yes", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("canary-of-thirty-two-characters!")]
    [InlineData("x7Kq0ZpL9mNaB3cD")]
    public void The_net_finds_a_value_in_every_encoding_and_position(string value)
    {
        for (var before = 0; before < 7; before++)
        {
            var text = $"{new string('a', before)}{value}\n";
            foreach (var written in new[] { text, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text)), Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { p = text }))) })
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
