using System.Globalization;
using Microsoft.Extensions.Logging;

namespace PlatformOps.Starter.Connection;

/// <summary>Writes what happens to standard error, a line each, with the time.</summary>
internal sealed class TimedLog(TimeProvider clock, bool verbose) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= (verbose ? LogLevel.Debug : LogLevel.Information);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {logLevel.ToString().ToLowerInvariant()}: {formatter(state, exception)}"));
    }
}
