using Microsoft.Extensions.Logging;

namespace PlatformOps.Starter.Connection;

/// <summary>Where a bootstrap server inside this process logs: errors to standard error, with <paramref name="verbose"/> warnings as well.
/// It also sees each call that was answered.</summary>
/// <param name="answered">Gets the path of each call after its effect, for example <c>/temporal.api.workflowservice.v1.WorkflowService/RegisterNamespace</c>.</param>
internal sealed class ServerLog(bool verbose, Action<string>? answered = null) : ILoggerFactory
{
    private const string Hosting = "Microsoft.Extensions.Hosting.Internal.Host";
    private const string Requests = "Microsoft.AspNetCore.Hosting.Diagnostics";

    public ILogger CreateLogger(string categoryName) => new Log(
        // Why a host did not start reaches the operator as a message of its own.
        categoryName == Hosting ? LogLevel.None : verbose ? LogLevel.Warning : LogLevel.Error,
        categoryName == Requests ? answered : null);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("A server logs to one place.");

    public void Dispose()
    {
    }

    private sealed class Log(LogLevel least, Action<string>? answered) : ILogger
    {
        private const int RequestFinished = 2;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least || (answered is not null && logLevel == LogLevel.Information);

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= least)
                Console.Error.WriteLine($"{logLevel.ToString().ToLowerInvariant()}: {formatter(state, exception)}{(exception is null ? "" : $" {exception.Message}")}");
            if (eventId.Id == RequestFinished && state is IReadOnlyList<KeyValuePair<string, object?>> fields
                && fields.FirstOrDefault(field => field.Key == "Path").Value?.ToString() is { } path)
                answered?.Invoke(path);
        }
    }
}
