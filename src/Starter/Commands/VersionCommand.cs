using System.CommandLine;
using System.Reflection;
using PlatformOps.Starter.CommandLine;
using Temporalio.Client;

namespace PlatformOps.Starter.Commands;

internal static class VersionCommand
{
    public static Command Create() =>
        new CliCommand("version", "Show the version.", new Example("version --output json", "for scripts"))
        .Runs((invocation, _) =>
        {
            var version = Version(typeof(VersionCommand));
            var sdk = Version(typeof(TemporalClient));
            var runtime = Environment.Version.ToString();
            invocation.Terminal.Line($"platformops {version} (Temporal SDK {sdk}, .NET {runtime})");
            invocation.Terminal.Result(new { version, temporalSdk = sdk, dotnet = runtime });
            return Task.FromResult(ExitCode.Success);
        });

    /// <summary>The version of the assembly that holds a type, with its commit.</summary>
    public static string Version(Type type)
    {
        var version = type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        var commit = version.IndexOf('+', StringComparison.Ordinal);
        return commit < 0 ? version : $"{version[..commit]} ({version[(commit + 1)..][..Math.Min(7, version.Length - commit - 1)]})";
    }
}
