using System.Globalization;
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
               PlatformOps.BootstrapServer PORT                           a test server that skips time
          -p, --port N                 TCP port (7233); 0 chooses a free one
              --ip ADDRESS             address to listen on (127.0.0.1); there is no authentication
          -n, --namespace NAME         a namespace beside `default`; repeatable
          -f, --db-filename FILE       keep everything in this file; in memory when left out
              --search-attribute K=T   a search attribute with its type; repeatable
        Taken and ignored: --dynamic-config-value, --headless, --ui-port, --ui-ip, --http-port, --metrics-port, --log-format,
        --log-level, --log-config, --sqlite-pragma.
        """;

    private const int DefaultPort = 7233;

    private static readonly Dictionary<string, string> ShortNames = new() { ["-p"] = "--port", ["-n"] = "--namespace", ["-f"] = "--db-filename" };

    private static readonly HashSet<string> IgnoredWithValue =
    [
        "--dynamic-config-value", "--ui-port", "--ui-ip", "--ui-public-path", "--ui-asset-path", "--ui-codec-endpoint", "--http-port", "--metrics-port",
        "--log-format", "--log-level", "--sqlite-pragma",
    ];

    private static readonly HashSet<string> IgnoredFlags = ["--headless", "--log-config"];

    /// <summary>Makes options of a command line.</summary>
    /// <exception cref="FormatException">Something in it is unknown or malformed; the message names it.</exception>
    public static BootstrapServerOptions Parse(IReadOnlyList<string> arguments)
    {
        if (arguments is [var port, ..] && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return new BootstrapServerOptions { Port = Port(port), SkipTime = true };
        if (arguments is not ["server", "start-dev", ..])
            throw new FormatException("\"server start-dev\" or a port is expected.");
        var (dev, namespaces, attributes) = (new BootstrapServerOptions { Port = DefaultPort }, new List<string> { "default" }, new Dictionary<string, IndexedValueType>());
        for (var i = 2; i < arguments.Count; i++)
        {
            var (name, value) = Split(arguments[i]);
            if (IgnoredFlags.Contains(name))
                continue;
            value ??= ++i < arguments.Count ? arguments[i] : throw new FormatException($"{name} needs a value.");
            if (IgnoredWithValue.Contains(name))
                continue;
            switch (name)
            {
                case "--port": dev = dev with { Port = Port(value) }; break;
                case "--ip": dev = dev with { Host = value }; break;
                case "--db-filename": dev = dev with { DatabaseFile = value }; break;
                case "--namespace": namespaces.Add(value); break;
                case "--search-attribute": AddAttribute(attributes, value); break;
                default: throw new FormatException($"{name} is not known.");
            }
        }
        return dev with { Namespaces = [.. namespaces.Distinct()], SearchAttributes = attributes };
    }

    private static (string Name, string? Value) Split(string argument)
    {
        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? argument : argument[..equals];
        return (ShortNames.GetValueOrDefault(name, name), equals < 0 ? null : argument[(equals + 1)..]);
    }

    private static int Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535 ? port : throw new FormatException($"Port {text} is outside 0..65535.");

    private static void AddAttribute(Dictionary<string, IndexedValueType> attributes, string text)
    {
        if (text.Split('=', 2) is not [{ Length: > 0 } name, var type] || !Enum.TryParse<IndexedValueType>(type, ignoreCase: true, out var parsed) || parsed == IndexedValueType.Unspecified)
            throw new FormatException($"--search-attribute {text}: NAME=TYPE is expected, with one of {string.Join(", ", Enum.GetNames<IndexedValueType>().Skip(1))}.");
        attributes[name] = parsed;
    }
}
