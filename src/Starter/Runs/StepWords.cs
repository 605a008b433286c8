using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Runs;

/// <summary>How the states of steps look.</summary>
internal static class StepWords
{
    /// <param name="runbook">Whose step it is: what is done is healthy, unless it was removed.</param>
    public static string Of(StepState state, string? runbook = null) => state switch
    {
        StepState.Pending => "pending",
        StepState.Blocked => "blocked",
        StepState.Running => "running",
        StepState.Done => runbook == nameof(DecommissionEnvironment) ? "done" : "healthy",
        StepState.Failed => "FAILED",
        StepState.Skipped => "skipped",
        StepState.RolledBack => "rolled back",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A step state without a word."),
    };

    /// <summary>One column wide. Without Unicode: letters that differ also without color.</summary>
    public static string Symbol(StepState state, bool unicode) => state switch
    {
        StepState.Pending => unicode ? "·" : ".",
        StepState.Blocked => unicode ? "⊘" : "-",
        StepState.Running => unicode ? "▸" : ">",
        StepState.Done => unicode ? "✓" : "+",
        StepState.Failed => unicode ? "✗" : "x",
        StepState.Skipped => unicode ? "»" : "s",
        StepState.RolledBack => unicode ? "↩" : "<",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "A step state without a symbol."),
    };

    public static string Style(StepState state) => state switch
    {
        StepState.Done => "green",
        StepState.Failed => "red bold",
        StepState.Running => "cyan",
        StepState.Skipped or StepState.RolledBack => "yellow",
        _ => "grey",
    };
}
