using Microsoft.Extensions.Logging;
using Temporalio.Runtime;

namespace PlatformOps.Starter.Connection;

/// <summary>The SDK's native part, without its habit of writing warnings to standard output, where results go.</summary>
internal static class SdkRuntime
{
    private static readonly SilentUnlessVerbose Log = new();

    private static readonly Lazy<TemporalRuntime> Runtime = new(() => new(new TemporalRuntimeOptions
    {
        Telemetry = new TelemetryOptions
        {
            Logging = new LoggingOptions
            {
                Filter = new TelemetryFilterOptions(core: TelemetryFilterOptions.Level.Warn, other: TelemetryFilterOptions.Level.Error),
                Forwarding = new LogForwardingOptions { Logger = Log },
            },
            Metrics = MetricsAddress is { } address ? new MetricsOptions(new PrometheusOptions(address)) : null,
        },
    }));

    /// <summary>Where metrics of the SDK and of activities are given to Prometheus, <c>host:port</c>; null: nowhere. Set before anything is connected.</summary>
    public static string? MetricsAddress { get; set; }

    public static TemporalRuntime Instance => Runtime.Value;

    /// <summary>Writes its warnings to standard error from now on. Most of them tell of what is retried anyway.</summary>
    public static void Verbose() => Log.On = true;

    private sealed class SilentUnlessVerbose : ILogger
    {
        public bool On { get; set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => On;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Console.Error.WriteLine($"{logLevel.ToString().ToLowerInvariant()}: {formatter(state, exception)}");
    }
}
