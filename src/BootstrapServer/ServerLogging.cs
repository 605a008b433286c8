using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace PlatformOps.BootstrapServer;

/// <summary>Where a server logs when nobody says otherwise: standard error, since standard output says where it listens.</summary>
internal static class ServerLogging
{
    /// <param name="json">One JSON object a line, instead of a line of text.</param>
    public static void Configure(ILoggingBuilder logging, LogLevel least, bool json)
    {
        logging.ClearProviders().SetMinimumLevel(least);
        // What the web server says of every call is of use only to those who look for a defect in it.
        if (least > LogLevel.Debug)
            logging.AddFilter("Microsoft", level => level >= LogLevel.Warning && level >= least);
        logging.AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = json ? ConsoleFormatterNames.Json : ConsoleFormatterNames.Simple;
        });
        logging.Services.Configure<SimpleConsoleFormatterOptions>(text => text.SingleLine = true);
    }
}
