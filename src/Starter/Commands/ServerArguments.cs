using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace PlatformOps.Starter.Commands;

/// <summary>Options that the commands which start a server share.</summary>
internal static class ServerArguments
{
    public const int UsualPort = 7233;

    public static Option<int> Port(string description) => new("--port")
    {
        Description = description,
        HelpName = "PORT",
        DefaultValueFactory = _ => UsualPort,
        CustomParser = ReadPort,
    };

    private static int ReadPort(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > 65535)
            result.AddError($"--port is '{text}': a number from 0 to 65535 is expected.");
        return port;
    }
}
