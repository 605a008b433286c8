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
        if (!IPAddress.TryParse(options.Host, out var host))
            yield return $"Host \"{options.Host}\" is not an IP address: use 127.0.0.1 or ::1.";
        if (options.Port is < 0 or > 65535)
            yield return $"Port {options.Port} is outside 0..65535.";
        if (options.DatabaseFile is { } file && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
            yield return $"DatabaseFile {file} is in a folder that does not exist: create it first.";
        if (options.SkipTime && options.DatabaseFile is not null)
            yield return "SkipTime and DatabaseFile exclude each other: time that was skipped would come again after a restart.";
        if (options.RunsInMemory < 0)
            yield return $"RunsInMemory {options.RunsInMemory} is negative: 0 keeps only runs in memory to which something happens.";
        if (options.Namespaces.Any(string.IsNullOrWhiteSpace))
            yield return "Namespaces has an empty name.";
        foreach (var problem in options.Access.Problems(host))
            yield return problem;
    }
}
