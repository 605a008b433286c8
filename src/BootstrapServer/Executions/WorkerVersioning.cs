using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What history keeps about the worker build that completed a workflow task.</summary>
internal static class WorkerVersioning
{
    public static WorkflowTaskCompletedEventAttributes Describe(RespondWorkflowTaskCompletedRequest request, WorkflowTaskCompletedEventAttributes completed)
    {
#pragma warning disable CS0612 // Older SDKs report their build in the deprecated fields, and the replayer reads them back from there.
        completed.BinaryChecksum = request.BinaryChecksum;
        completed.WorkerVersion = request.WorkerVersionStamp;
        if (request.DeploymentOptions is { } options && options.DeploymentName.Length > 0)
        {
            completed.WorkerDeploymentName = options.DeploymentName;
            if (options.WorkerVersioningMode == WorkerVersioningMode.Versioned)
            {
                completed.VersioningBehavior = request.VersioningBehavior;
                completed.DeploymentVersion = new WorkerDeploymentVersion { DeploymentName = options.DeploymentName, BuildId = options.BuildId };
                completed.WorkerDeploymentVersion = $"{options.DeploymentName}.{options.BuildId}";
            }
        }
#pragma warning restore CS0612
        return completed;
    }
}
