using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Executions.Completing;

/// <summary>Why a worker's answer to a workflow task cannot be accepted: the task fails with this cause.</summary>
/// <param name="TerminateRun">The same commands would come again and again: the run ends instead.</param>
internal sealed record CommandProblem(WorkflowTaskFailedCause Cause, string Message, bool TerminateRun = false);
