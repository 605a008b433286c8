using Microsoft.Extensions.Logging;
using PlatformOps.BootstrapServer.Tests.Durability;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>The options with which SDKs' test environments, and people who know the official dev server, start this one.</summary>
public class HarnessTests
{
    [Fact]
    public async Task Takes_every_option_of_the_local_environment()
    {
        var file = Path.GetTempFileName();
        File.Delete(file);
        var options = new WorkflowEnvironmentStartLocalOptions
        {
            Namespace = "of-the-test",
            UI = true,
            SearchAttributes = [SearchAttributeKey.CreateLong("OfTheTest")],
            DevServerOptions = new()
            {
                ExistingPath = ServerProcess.Executable,
                DatabaseFilename = file,
                LogFormat = "json",
                LogLevel = "error",
                ExtraArgs = ["--dynamic-config-value", "limit.blobSize.error=100", "--dynamic-config-value", "system.forceSearchAttributesCacheRefreshOnRead=true", "--sqlite-pragma", "journal_mode=wal"],
            },
        };
        var env = await Harness.StartAsync(() => WorkflowEnvironment.StartLocalAsync(options));
        await env.Client.StartWorkflowAsync("Any", [], new(id: "kept", taskQueue: "q"));
        await Failures.RefusedAsync(RpcException.StatusCode.InvalidArgument, () => env.Client.StartWorkflowAsync("Any", [new string('x', 200)], new(id: "large", taskQueue: "q")));
        await env.DisposeAsync();
        await using var again = await Harness.StartAsync(() => WorkflowEnvironment.StartLocalAsync(options));
        Assert.Equal("kept", (await again.Client.GetWorkflowHandle("kept").DescribeAsync()).Id);
        await again.DisposeAsync();
        File.Delete(file);
    }

    [Fact]
    public void Limits_come_from_dynamic_configuration_and_what_means_nothing_is_named()
    {
        var options = ServerArguments.Parse(
            ["7233", "--dynamic-config-value", "limit.historyCount.error=7", "--dynamic-config-value=history.maxtotalupdates=8", "--dynamic-config-value", "frontend.rps=1", "--ui-port", "8233", "--headless"]);
        Assert.Equal((7, 8), (options.Limits.HistoryEvents, options.Limits.UpdatesPerRun));
        Assert.Equal(["--dynamic-config-value frontend.rps=1", "--ui-port"], options.Ignored);
        Assert.Contains("above 0", Assert.Throws<FormatException>(() => ServerArguments.Parse(["7233", "--dynamic-config-value", "limit.blobSize.error=many"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logs_what_it_ignores()
    {
        using var log = new Lines();
        await using var server = await BootstrapServerHost.StartAsync(
            ServerArguments.Parse(["7233", "--port", "0", "--ui-port", "8233"]) with { LoggerFactory = log }, TestContext.Current.CancellationToken);
        Assert.Contains(log.Written, line => line.Contains("--ui-port", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("::1", "::1")]
    public void Takes_addresses_as_people_write_them(string written, string host) =>
        Assert.Equal(host, ServerArguments.Parse(["server", "start-dev", "--ip", written]).Host);

    [Fact]
    public void Takes_the_files_that_say_who_may_call()
    {
        string[] arguments = ["server", "start-dev", "--tls-cert-path", "c", "--tls-key-path=k", "--tls-client-ca-path", "a", "--api-key-path", "f", "--allow-unprotected"];
        var access = ServerArguments.Parse(arguments).Access;
        Assert.Equal(("c", "k", "a", "f", true), (access.CertificateFile, access.KeyFile, access.ClientAuthorityFile, access.ApiKeyFile, access.AllowUnprotected));
    }

    private sealed class Lines : ILoggerFactory, ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Written { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Written.Enqueue(formatter(state, exception));
    }
}
