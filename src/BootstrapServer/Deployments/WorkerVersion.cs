using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>One version of a worker deployment. Null stands for workers without a version.</summary>
internal sealed record WorkerVersion(string Deployment, string BuildId)
{
    /// <summary>How the older calls write "no version".</summary>
    public const string Unversioned = "__unversioned__";

    /// <summary>As search attributes and messages show it.</summary>
    public override string ToString() => $"{Deployment}:{BuildId}";

    /// <summary>As the older, deprecated fields of the protocol show it.</summary>
    public string ToOldString() => $"{Deployment}.{BuildId}";

    public static string OldString(WorkerVersion? version) => version?.ToOldString() ?? Unversioned;

    public WorkerDeploymentVersion ToMessage() => new() { DeploymentName = Deployment, BuildId = BuildId };

    public static WorkerVersion? From(WorkerDeploymentVersion? message) => message is null ? null : new WorkerVersion(message.DeploymentName, message.BuildId);

    /// <summary>The version that a worker polls and answers as; null when it does not use versions.</summary>
    public static WorkerVersion? Of(WorkerDeploymentOptions? options) =>
        options is { WorkerVersioningMode: WorkerVersioningMode.Versioned } ? new WorkerVersion(options.DeploymentName, options.BuildId) : null;

    /// <summary>Reads either form of a version; null when it is neither.</summary>
    public static WorkerVersion? Parse(string text)
    {
        var end = text.AsSpan().IndexOfAny('.', ':');
        return end <= 0 || end == text.Length - 1 ? null : new WorkerVersion(text[..end], text[(end + 1)..]);
    }
}
