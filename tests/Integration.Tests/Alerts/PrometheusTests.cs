using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Starter.Demos;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Alerts;

/// <summary>Real Prometheus with the rules that we ship, and real Alertmanager with the configuration that we show, reach the runbook.</summary>
public sealed class PrometheusTests
{
    /// <summary>The longest of: <c>for</c> of the rule, two scrapes, grouping. Much longer only means that it never comes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_dead_primary_fires_our_rule_through_Alertmanager_into_the_runbook_and_a_promotion_ends_it()
    {
        Assert.SkipUnless(Tools.Installed, Tools.Missing);
        await using var fixture = await ReceiverFixture.StartAsync(matcher: "runbook=\"failover\"");
        await using var pair = await GuardedPair.StartAsync(synchronous: true);
        await using var alertmanager = await Tools.AlertmanagerAsync(fixture);
        await using var prometheus = await Tools.PrometheusAsync(fixture.Folder, pair.Files, alertmanager.Port);
        await Wait.UntilAsync(() => prometheus.HoldsAsync("count(platformops_guard_writable) == 2 and max(platformops_guard_writable) == 1 and min(platformops_guard_streaming) == 1"), () => prometheus.Said, Patience);

        pair.KillPostmaster(GuardedPair.First);
        await Wait.UntilAsync(async () => (await fixture.SignalsAsync("production"))?.Any(signal => signal is { Name: "PostgreSQLNoWritablePrimary", Status: "firing" }) is true, () => prometheus.Said + alertmanager.Said, Patience);
        Assert.True((await pair.PromoteAsync(GuardedPair.Second, await pair.ClaimAsync(GuardedPair.Second, fenced: true))).Writable);
        await Wait.UntilAsync(async () => (await fixture.SignalsAsync("production"))!.Any(signal => signal is { Name: "PostgreSQLNoWritablePrimary", Status: "resolved" }), () => prometheus.Said + alertmanager.Said, Patience);

        var signals = (await fixture.SignalsAsync("production"))!.Where(signal => signal.Name == "PostgreSQLNoWritablePrimary").ToList();
        Assert.Single(signals.Select(signal => signal.Key).Distinct());
        Assert.Equal("No database node of production accepts writes.", signals[0].Summary);
        await TheWayForScrapersGivesMetricsAndNothingElseAsync(new($"http://{pair.Files[GuardedPair.Second].Metrics!.Listen}"));
    }

    private static async Task TheWayForScrapersGivesMetricsAndNothingElseAsync(Uri guard)
    {
        var ct = TestContext.Current.CancellationToken;
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri(guard, "/metrics"), ct);
        await Tools.RunAsync("promtool", metrics, "check", "metrics");
        Assert.Contains("platformops_guard_epoch{environment=\"production\",region=\"us-west-2\"} 2\n", metrics, StringComparison.Ordinal);
        Assert.Contains("platformops_guard_role{environment=\"production\",region=\"us-west-2\",role=\"primary\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(guard, "/v1/status"), ct)).StatusCode);
        using var order = new StringContent("{\"epoch\": 99}", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.NotFound, (await http.PostAsync(new Uri(guard, "/v1/fence"), order, ct)).StatusCode);
    }

    [Fact]
    public async Task The_rules_and_the_example_are_what_the_tools_accept()
    {
        Assert.SkipUnless(Tools.Installed, Tools.Missing);
        var folder = Directory.CreateTempSubdirectory("platformops-rules-").FullName;
        var rules = Path.Combine(folder, "rules.yaml");
        await File.WriteAllTextAsync(rules, Tools.Rules(), TestContext.Current.CancellationToken);
        await Tools.RunAsync("promtool", "", "check", "rules", rules);
        await Tools.RunAsync("amtool", "", "check-config", Path.Combine(Tools.Root, "examples", "alerts", "alertmanager.yaml"));
        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>Prometheus's own programs.</summary>
internal static class Tools
{
    public const string Missing = "Prometheus and Alertmanager are not installed (Debian: prometheus prometheus-alertmanager; ./test installs them as root).";

    public static bool Installed => Environment.GetEnvironmentVariable("CI") is "true" || new[] { "prometheus", "prometheus-alertmanager", "promtool", "amtool" }.All(name =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name))));

    public static string Root { get; } = FindRoot();

    /// <summary>The shipped rules, without what the Prometheus Operator needs around them.</summary>
    public static string Rules(string about = "failover")
    {
        var lines = File.ReadAllLines(Path.Combine(Root, "k8s", "platformops", "alerts", $"{about}.yaml"));
        return string.Join('\n', lines.SkipWhile(line => line != "spec:").Skip(1).Select(line => line.Length > 2 ? line[2..] : "")) + "\n";
    }

    /// <summary>Alertmanager with the configuration of the example, but for the address and the token of the test's receiver.</summary>
    public static async Task<Tool> AlertmanagerAsync(ReceiverFixture receiver)
    {
        var port = LocalPorts.Take();
        var config = Path.Combine(receiver.Folder, "alertmanager.yaml");
        await File.WriteAllTextAsync(config, (await File.ReadAllTextAsync(Path.Combine(Root, "examples", "alerts", "alertmanager.yaml")))
            .Replace("http://127.0.0.1:9095", receiver.Address.ToString().TrimEnd('/'), StringComparison.Ordinal)
            .Replace("credentials_file: alertmanager-token", $"credentials_file: {Path.Combine(receiver.Folder, "token")}", StringComparison.Ordinal));
        return await Tool.StartAsync(
            port, "prometheus-alertmanager", $"--config.file={config}", $"--storage.path={Path.Combine(receiver.Folder, "alertmanager")}",
            string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"), "--cluster.listen-address=");
    }

    /// <summary>Prometheus, which asks the first guard with a certificate over its API, and the second where no certificate is wanted.</summary>
    public static async Task<Tool> PrometheusAsync(string folder, LocalPair pair, int alertmanager)
    {
        var port = LocalPorts.Take();
        await File.WriteAllTextAsync(Path.Combine(folder, "rules.yaml"), Rules());
        var config = Path.Combine(folder, "prometheus.yaml");
        await File.WriteAllTextAsync(config, string.Create(CultureInfo.InvariantCulture, $"""
            global: {"{"}scrape_interval: 1s, evaluation_interval: 1s{"}"}
            rule_files: [rules.yaml]
            scrape_configs:
              - job_name: platformops-guard
                scheme: https
                tls_config: {"{"}ca_file: {pair.Certificates.Authority}, cert_file: {pair.Certificates.Certificate(LocalPair.Operator)}, key_file: {pair.Certificates.Key(LocalPair.Operator)}{"}"}
                static_configs: [{"{"}targets: ["{pair[GuardedPair.First].Api.Listen}"], labels: {"{"}environment: production{"}"}{"}"}]
                honor_labels: true
              - job_name: platformops-guard-without-certificate
                static_configs: [{"{"}targets: ["{pair[GuardedPair.Second].Metrics!.Listen}"], labels: {"{"}environment: production, job: platformops-guard{"}"}{"}"}]
                honor_labels: true
            alerting:
              alertmanagers:
                - static_configs: [{"{"}targets: ["127.0.0.1:{alertmanager}"]{"}"}]
            """));
        return await Tool.StartAsync(
            port, "prometheus", $"--config.file={config}", $"--storage.tsdb.path={Path.Combine(folder, "prometheus")}", string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"));
    }

    /// <param name="input">What it reads.</param>
    /// <returns>Its standard output.</returns>
    public static async Task<string> RunAsync(string command, string input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await output + await error);
        return await output;
    }

    private static string FindRoot()
    {
        var place = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(place, "PlatformOps.sln")))
            place = Path.GetDirectoryName(place)!;
        return place;
    }
}

/// <summary>A program that listens; ended with the test.</summary>
internal sealed class Tool : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder said = new();

    private Tool(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    public string Said
    {
        get
        {
            lock (said)
                return said.ToString();
        }
    }

    public static async Task<Tool> StartAsync(int port, string command, params string[] arguments)
    {
        var tool = new Tool(new() { StartInfo = new(command, arguments) { RedirectStandardError = true } }, port);
        tool.process.ErrorDataReceived += (_, line) =>
        {
            lock (tool.said)
                tool.said.AppendLine(line.Data);
        };
        tool.process.Start();
        tool.process.BeginErrorReadLine();
        using var http = new HttpClient();
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    return (await http.GetAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/-/ready")))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            () => tool.Said);
        return tool;
    }

    /// <summary>Whether a query of Prometheus has an answer now.</summary>
    public async Task<bool> HoldsAsync(string query)
    {
        using var http = new HttpClient();
        var answer = await http.GetFromJsonAsync<JsonObject>(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/api/v1/query?query={Uri.EscapeDataString(query)}")));
        return answer!["data"]!["result"]!.AsArray().Count > 0;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
