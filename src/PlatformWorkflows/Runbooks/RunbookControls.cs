namespace PlatformOps.Workflows.Runbooks;

/// <summary>Input of the update <c>approve</c>.</summary>
/// <param name="PlanHash">The plan that was read. A different hash than the run's is rejected with both.</param>
/// <param name="Comment">Why, for the report.</param>
/// <param name="Overwrite">That what exists may be overwritten: required for restores whose plan overwrites objects among others that it only creates.</param>
public sealed record ApproveInput(string? PlanHash, string? ApprovedBy = null, string? Comment = null, bool? Overwrite = null);

/// <summary>Input of the update <c>reject</c>.</summary>
public sealed record RejectInput(string? Reason, string? RejectedBy = null);

/// <summary>Input of the update <c>abort</c>.</summary>
public sealed record AbortInput(string? Reason);

/// <summary>Input of the updates <c>retryStep</c> and <c>skipStep</c>.</summary>
/// <param name="Step">The step's name as <c>status</c> shows it.</param>
/// <param name="Reason">Why; required for <c>skipStep</c>.</param>
public sealed record StepInput(string? Step, string? Reason = null);

/// <summary>The answer of an accepted control.</summary>
/// <param name="Message">What happens next.</param>
/// <param name="OperationId">The operation that it began; null: none.</param>
public sealed record ControlResult(string Message, string? OperationId = null);
