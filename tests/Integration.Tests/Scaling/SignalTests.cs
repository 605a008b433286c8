using System.Globalization;
using PlatformOps.Adapters;
using PlatformOps.Adapters.External;
using PlatformOps.Adapters.Prometheus;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Scaling;

/// <summary>What a real Prometheus answers to the queries of signals.</summary>
public sealed class SignalTests
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_query_gives_one_number_or_none_and_several_are_refused()
    {
        Assert.SkipUnless(Tools.Installed, Tools.Missing);
        var ct = TestContext.Current.CancellationToken;
        var (folder, port) = (Directory.CreateTempSubdirectory("platformops-signals-").FullName, LocalPorts.Take());
        var config = Path.Combine(folder, "prometheus.yaml");
        await File.WriteAllTextAsync(config, string.Create(CultureInfo.InvariantCulture, $$"""
            global: {scrape_interval: 1s}
            scrape_configs:
              - {job_name: itself, static_configs: [{targets: ["127.0.0.1:{{port}}"]}]}
              - {job_name: nobody, static_configs: [{targets: ["127.0.0.1:1"]}]}
            """), ct);
        await using (await Tool.StartAsync(
            port, "prometheus", $"--config.file={config}", $"--storage.tsdb.path={Path.Combine(folder, "data")}", string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}")))
        {
            using var server = new PrometheusServer(JsonApi.Open("Prometheus", new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")), [], null));
            await Wait.UntilAsync(async () => await server.NumberAsync("count(up)", Fresh, ct) == 2, () => "Two targets were to be scraped.");

            // A busy Prometheus may miss a scrape of itself.
            await Wait.UntilAsync(async () => await server.NumberAsync("100 * sum(up) / count(up)", Fresh, ct) == 50, () => "One of two targets was to be up.");
            Assert.Equal(7, await server.NumberAsync("scalar(vector(7))", Fresh, ct));
            Assert.Null(await server.NumberAsync("sum(nothing{of=\"this\"})", Fresh, ct));
            // What is divided by nothing is no number, and no reason to fail.
            Assert.True(double.IsNaN((await server.NumberAsync("vector(0) / vector(0)", Fresh, ct))!.Value));
            Assert.True(double.IsPositiveInfinity((await server.NumberAsync("vector(1) / vector(0)", Fresh, ct))!.Value));
            Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<AdapterException>(() => server.NumberAsync("up", Fresh, ct))).Kind);
            Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<AdapterException>(() => server.NumberAsync("sum(", Fresh, ct))).Kind);
        }

        Directory.Delete(folder, recursive: true);
    }
}
