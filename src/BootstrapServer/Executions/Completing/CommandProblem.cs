using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Executions.Completing;

/// <summary>Why a worker's answer to a workflow task cannot be accepted: the task fails with this cause.</summary>
/// <param name="Detail">What is wrong, or empty when the cause says it all.</param>
/// <param name="TerminateRun">The same commands would come again and again: the run ends instead.</param>
internal sealed record CommandProblem(WorkflowTaskFailedCause Cause, string Detail, bool TerminateRun = false)
{
    /// <summary>What workers, histories and terminated runs hear of it.</summary>
    public string Message => Detail.Length == 0 ? Cause.ToString() : $"{Cause}: {Detail}";
}
