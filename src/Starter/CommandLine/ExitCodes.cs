namespace PlatformOps.Starter.CommandLine;

/// <summary>The exit codes in words.</summary>
internal static class ExitCodes
{
    public static IReadOnlyList<(ExitCode Code, string Meaning)> Meanings { get; } =
    [
        (ExitCode.Success, "done; for a run: every component is healthy"),
        (ExitCode.Failure, "something that no other code names"),
        (ExitCode.Usage, "the command line is wrong; nothing was done"),
        (ExitCode.Invalid, "the specification, catalog or connections file is wrong; nothing was done"),
        (ExitCode.NotFound, "the environment, run or step does not exist"),
        (ExitCode.Unreachable, "the Temporal server, or a worker behind it, does not answer"),
        (ExitCode.Refused, "the run did not accept what was asked; nothing was changed"),
        (ExitCode.Parked, "the run waits for an operator (approval, or a failed step)"),
        (ExitCode.RunFailed, "the run has ended without reaching its goal"),
        (ExitCode.Busy, "another process uses the data directory, or the port"),
        (ExitCode.Changes, "plan --exit-code, schedules apply --plan --exit-code: something would change; drift --exit-code: something differs"),
        (ExitCode.Interrupted, "Ctrl-C; a run that was started goes on"),
    ];
}
