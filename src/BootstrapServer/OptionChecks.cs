using System.Net;

namespace PlatformOps.BootstrapServer;

/// <summary>Refuses options that cannot work before anything is started, all of them in one message.</summary>
internal static class OptionChecks
{
    /// <exception cref="ArgumentException">The message has one line per problem.</exception>
    public static void Require(BootstrapServerOptions options)
    {
        var problems = Find(options).ToList();
        if (problems.Count > 0)
            throw new ArgumentException(string.Join(Environment.NewLine, problems), nameof(options));
    }

    private static IEnumerable<string> Find(BootstrapServerOptions options)
    {
        if (!IPAddress.TryParse(options.Host, out _))
            yield return $"Host \"{options.Host}\" is not an IP address: use 127.0.0.1 or ::1.";
        if (options.Port is < 0 or > 65535)
            yield return $"Port {options.Port} is outside 0..65535.";
        if (options.DatabaseFile is not null)
            yield return $"DatabaseFile ({options.DatabaseFile}) is not supported yet: this server keeps everything in memory. Leave it out.";
        if (options.SkipTime)
            yield return "SkipTime is not supported yet: leave it out, or hand in a TimeProvider.";
        if (options.Namespaces.Any(string.IsNullOrWhiteSpace))
            yield return "Namespaces has an empty name.";
    }
}
