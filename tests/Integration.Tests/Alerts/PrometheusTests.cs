using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PlatformOps.Integration.Tests.CommandLine;

namespace PlatformOps.Integration.Tests.Alerts;

/// <summary>Real Prometheus with the rules that we ship, and real Alertmanager with the configuration that we show, reach the runbook.</summary>
public sealed class PrometheusTests
{
    /// <summary>The longest of: <c>for</c> of the rule, two scrapes, grouping. Much longer only means that it never comes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Our_rules_fire_through_Alertmanager_into_the_runbook_and_say_when_it_is_over()
    {
        Assert.SkipUnless(Tools.Installed, Tools.Missing);
        await using var fixture = await ReceiverFixture.StartAsync(matcher: "runbook=\"failover\"");
        using var guard = new GuardMetrics();
        await using var alertmanager = await Tools.AlertmanagerAsync(fixture);
        await using var prometheus = await Tools.PrometheusAsync(fixture.Folder, guard.Port, alertmanager.Port);
        guard.Writable = false;
        await Wait.UntilAsync(async () => (await fixture.SignalsAsync("production"))?.Any(signal => signal is { Name: "PostgreSQLNoWritablePrimary", Status: "firing" }) is true, () => prometheus.Said + alertmanager.Said, Patience);
        guard.Writable = true;
        await Wait.UntilAsync(async () => (await fixture.SignalsAsync("production"))!.Any(signal => signal is { Name: "PostgreSQLNoWritablePrimary", Status: "resolved" }), () => prometheus.Said + alertmanager.Said, Patience);
        var signals = (await fixture.SignalsAsync("production"))!.Where(signal => signal.Name == "PostgreSQLNoWritablePrimary").ToList();
        Assert.Single(signals.Select(signal => signal.Key).Distinct());
        Assert.Equal("No database node of production accepts writes.", signals[0].Summary);
    }

    [Fact]
    public async Task The_rules_and_the_example_are_what_the_tools_accept()
    {
        Assert.SkipUnless(Tools.Installed, Tools.Missing);
        var folder = Directory.CreateTempSubdirectory("platformops-rules-").FullName;
        var rules = Path.Combine(folder, "rules.yaml");
        await File.WriteAllTextAsync(rules, Tools.Rules(), TestContext.Current.CancellationToken);
        await Tools.RunAsync("promtool", "check", "rules", rules);
        await Tools.RunAsync("amtool", "check-config", Path.Combine(Tools.Root, "examples", "alerts", "alertmanager.yaml"));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>What a guard says of its node to Prometheus.</summary>
    private sealed class GuardMetrics : IDisposable
    {
        private readonly HttpListener listener = new();

        public GuardMetrics()
        {
            Port = Tools.FreePort();
            listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/"));
            listener.Start();
            _ = ServeAsync();
        }

        public int Port { get; }

        public volatile bool Writable = true;

        public void Dispose() => listener.Close();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    var call = await listener.GetContextAsync();
                    var text = $$"""
                        platformops_guard_writable{environment="production",region="us-east-1"} {{(Writable ? 1 : 0)}}
                        platformops_guard_writable{environment="production",region="us-west-2"} 0
                        platformops_guard_streaming{environment="production",region="us-west-2"} 1

                        """;
                    call.Response.ContentType = "text/plain; version=0.0.4";
                    await call.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n")));
                    call.Response.Close();
                }
            }
            catch (Exception failure) when (failure is HttpListenerException or ObjectDisposedException)
            {
                // The test has ended.
            }
        }
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
    public static string Rules()
    {
        var lines = File.ReadAllLines(Path.Combine(Root, "k8s", "platformops", "alerts", "failover.yaml"));
        return string.Join('\n', lines.SkipWhile(line => line != "spec:").Skip(1).Select(line => line.Length > 2 ? line[2..] : "")) + "\n";
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Alertmanager with the configuration of the example, but for the address and the token of the test's receiver.</summary>
    public static async Task<Tool> AlertmanagerAsync(ReceiverFixture receiver)
    {
        var port = FreePort();
        var config = Path.Combine(receiver.Folder, "alertmanager.yaml");
        await File.WriteAllTextAsync(config, (await File.ReadAllTextAsync(Path.Combine(Root, "examples", "alerts", "alertmanager.yaml")))
            .Replace("http://127.0.0.1:9095", receiver.Address.ToString().TrimEnd('/'), StringComparison.Ordinal)
            .Replace("credentials_file: alertmanager-token", $"credentials_file: {Path.Combine(receiver.Folder, "token")}", StringComparison.Ordinal));
        return await Tool.StartAsync(
            port, "prometheus-alertmanager", $"--config.file={config}", $"--storage.path={Path.Combine(receiver.Folder, "alertmanager")}",
            string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"), "--cluster.listen-address=");
    }

    public static async Task<Tool> PrometheusAsync(string folder, int target, int alertmanager)
    {
        var port = FreePort();
        await File.WriteAllTextAsync(Path.Combine(folder, "rules.yaml"), Rules());
        var config = Path.Combine(folder, "prometheus.yaml");
        await File.WriteAllTextAsync(config, string.Create(CultureInfo.InvariantCulture, $"""
            global: {"{"}scrape_interval: 1s, evaluation_interval: 1s{"}"}
            rule_files: [rules.yaml]
            scrape_configs:
              - job_name: platformops-guard
                static_configs:
                  - targets: ["127.0.0.1:{target}"]
                    labels: {"{"}environment: production{"}"}
                honor_labels: true
            alerting:
              alertmanagers:
                - static_configs: [{"{"}targets: ["127.0.0.1:{alertmanager}"]{"}"}]
            """));
        return await Tool.StartAsync(
            port, "prometheus", $"--config.file={config}", $"--storage.tsdb.path={Path.Combine(folder, "prometheus")}", string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"));
    }

    public static async Task RunAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, said);
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
            () => tool.Said,
            TimeSpan.FromMinutes(1));
        return tool;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
