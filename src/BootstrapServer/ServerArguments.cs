using System.Globalization;
using Microsoft.Extensions.Logging;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer;

/// <summary>
/// The command line of a Temporal dev server (<c>server start-dev ...</c>), and that of a time-skipping test server (a port), so
/// that whatever starts one of these, an SDK's test harness above all, can start this server instead.
/// </summary>
public static class ServerArguments
{
    /// <summary>What can be given, for people.</summary>
    public const string Usage = """
        Usage: PlatformOps.BootstrapServer server start-dev [options]     a server that keeps the wall clock's time
               PlatformOps.BootstrapServer PORT [options]                 a test server that skips time
          -p, --port N                  TCP port (7233); 0 chooses a free one
              --ip ADDRESS              address to listen on (127.0.0.1)
          -n, --namespace NAME          a namespace beside `default`; repeatable
          -f, --db-filename FILE        keep everything in this file; in memory when left out
              --search-attribute K=T    a search attribute with its type; repeatable
              --dynamic-config-value K=V  the limits of a Temporal server: limit.blobSize.error, limit.historyCount.error, ...; repeatable
              --log-level LEVEL         debug, info, warn (usual), error or never
              --log-format FORMAT       text (usual; pretty is the same) or json
        Who may call; without these it listens on loopback only. Files are read again when they change.
              --tls-cert-path FILE      the server's certificate, PEM; with --tls-key-path FILE
              --tls-client-ca-path FILE every client needs a certificate of one of these authorities
              --api-key-path FILE       every client needs one of these keys (a line: KEY, or KEY NAMESPACE...)
              --allow-unprotected       other addresses than loopback without these: for a network that is yours alone
        Taken and ignored, with a word in the log: --ui-*, --http-port, --metrics-port, --log-config, --sqlite-pragma.
        """;

    private const int DefaultPort = 7233;

    private static readonly Dictionary<string, string> ShortNames = new() { ["-p"] = "--port", ["-n"] = "--namespace", ["-f"] = "--db-filename" };

    private static readonly HashSet<string> IgnoredWithValue =
        ["--ui-port", "--ui-ip", "--ui-public-path", "--ui-asset-path", "--ui-codec-endpoint", "--http-port", "--metrics-port", "--sqlite-pragma"];

    private static readonly HashSet<string> IgnoredFlags = ["--log-config", "--ui-disable-news-fetch"];

    /// <summary>What is so anyway: no web UI, and time that skips when a port comes first.</summary>
    private static readonly HashSet<string> AlwaysSo = ["--headless", "--enable-time-skipping"];

    private static readonly Dictionary<string, LogLevel> LogLevels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["debug"] = LogLevel.Debug,
        ["info"] = LogLevel.Information,
        ["warn"] = LogLevel.Warning,
        ["error"] = LogLevel.Error,
        ["fatal"] = LogLevel.Critical,
        ["never"] = LogLevel.None,
    };

    /// <summary>Makes options of a command line.</summary>
    /// <exception cref="FormatException">Something in it is unknown or malformed; the message names it.</exception>
    public static BootstrapServerOptions Parse(IReadOnlyList<string> arguments)
    {
        BootstrapServerOptions options;
        int next;
        if (arguments is [var port, ..] && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            (options, next) = (new BootstrapServerOptions { Port = Port(port), SkipTime = true }, 1);
        else if (arguments is ["server", "start-dev", ..])
            (options, next) = (new BootstrapServerOptions { Port = DefaultPort }, 2);
        else
            throw new FormatException("\"server start-dev\" or a port is expected.");
        var (level, json) = (LogLevel.Warning, false);
        for (var i = next; i < arguments.Count; i++)
        {
            var (name, value) = Split(arguments[i]);
            if (AlwaysSo.Contains(name))
                continue;
            if (IgnoredFlags.Contains(name))
                options = Ignored(options, name);
            else if (name == "--allow-unprotected")
                options = options with { Access = options.Access with { AllowUnprotected = true } };
            else
            {
                value ??= ++i < arguments.Count ? arguments[i] : throw new FormatException($"{name} needs a value.");
                if (name == "--log-level")
                    level = LogLevels.TryGetValue(value, out var known) ? known : throw new FormatException($"--log-level {value}: one of {string.Join(", ", LogLevels.Keys)} is expected.");
                else if (name == "--log-format")
                    json = value == "json";
                else
                    options = Apply(options, name, value);
            }
        }
        return options with { LoggerFactory = LoggerFactory.Create(logging => ServerLogging.Configure(logging, level, json)) };
    }

    /// <summary>Reads <c>NAME=TYPE</c>.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static KeyValuePair<string, IndexedValueType> SearchAttribute(string text)
    {
        if (text.Split('=', 2) is [{ Length: > 0 } name, var type] && Enum.TryParse<IndexedValueType>(type, ignoreCase: true, out var parsed) && parsed != IndexedValueType.Unspecified)
            return KeyValuePair.Create(name, parsed);
        throw new FormatException($"--search-attribute {text}: NAME=TYPE is expected, with one of {string.Join(", ", Enum.GetNames<IndexedValueType>().Skip(1))}.");
    }

    private static BootstrapServerOptions Apply(BootstrapServerOptions options, string name, string value) => name switch
    {
        "--port" => options with { Port = Port(value) },
        "--ip" => options with { Host = value == "localhost" ? "127.0.0.1" : value },
        "--db-filename" => options with { DatabaseFile = value },
        "--namespace" => options with { Namespaces = [.. options.Namespaces.Append(value).Distinct()] },
        "--search-attribute" => options with { SearchAttributes = options.SearchAttributes.Append(SearchAttribute(value)).DistinctBy(entry => entry.Key).ToDictionary() },
        "--dynamic-config-value" => DynamicConfig.Apply(options.Limits, value) is { } limits ? options with { Limits = limits } : Ignored(options, $"{name} {value}"),
        "--tls-cert-path" => options with { Access = options.Access with { CertificateFile = value } },
        "--tls-key-path" => options with { Access = options.Access with { KeyFile = value } },
        "--tls-client-ca-path" => options with { Access = options.Access with { ClientAuthorityFile = value } },
        "--api-key-path" => options with { Access = options.Access with { ApiKeyFile = value } },
        _ when IgnoredWithValue.Contains(name) => Ignored(options, name),
        _ => throw new FormatException($"{name} is not known."),
    };

    private static BootstrapServerOptions Ignored(BootstrapServerOptions options, string what) => options with { Ignored = [.. options.Ignored, what] };

    private static (string Name, string? Value) Split(string argument)
    {
        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? argument : argument[..equals];
        return (ShortNames.GetValueOrDefault(name, name), equals < 0 ? null : argument[(equals + 1)..]);
    }

    private static int Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535 ? port : throw new FormatException($"Port {text} is outside 0..65535.");
}
