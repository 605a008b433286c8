using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>What names of deployments and builds may be, with the messages of the real server.</summary>
internal static class DeploymentChecks
{
    private const int LongestName = (Limits.MaxIdLength - 39) / 2;

    public static void Version(WorkerVersion version)
    {
        if (version.Deployment.Length == 0 || version.BuildId.Length == 0)
            throw ServiceError.InvalidArgument("Deployment name and build ID must be set in deployment options when worker versioning is used.");
        Name(version.Deployment);
        Field(version.BuildId, "BuildID");
    }

    public static void Name(string name)
    {
        Field(name, "WorkerDeploymentName");
        foreach (var reserved in ".:")
        {
            if (name.Contains(reserved))
                throw ServiceError.InvalidArgument($"worker deployment name cannot contain '{reserved}'");
        }
    }

    private static void Field(string value, string what)
    {
        if (value.Length == 0)
            throw ServiceError.InvalidArgument($"{what} cannot be empty");
        if (value.Length > LongestName)
            throw ServiceError.InvalidArgument($"size of {what} larger than the maximum allowed");
        if (value.StartsWith("__", StringComparison.Ordinal))
            throw ServiceError.InvalidArgument($"{what} cannot start with '__'");
    }
}
