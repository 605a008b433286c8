namespace PlatformOps.Starter.CommandLine;

/// <summary>Ends a command with a message for the operator: what happened, why, and what to do next.</summary>
internal sealed class CommandFailure(ExitCode exitCode, string what, string why, string next, Exception? cause = null)
    : Exception($"{what} {why}", cause)
{
    public ExitCode ExitCode { get; } = exitCode;

    /// <summary>What happened, as a sentence that names the thing.</summary>
    public string What { get; } = what;

    public string Why { get; } = why;

    /// <summary>The next step, where possible a command to copy.</summary>
    public string Next { get; } = next;

    /// <summary>Every single problem when there is more than one, each on a line of its own.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}
