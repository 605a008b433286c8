namespace PlatformOps.Starter.CommandLine;

/// <summary>What the process ends with. A public contract: scripts branch on these numbers; see <c>docs/cli.md</c>.</summary>
internal enum ExitCode
{
    /// <summary>Done; for a run: every component is healthy.</summary>
    Success = 0,

    /// <summary>Something that no other code names.</summary>
    Failure = 1,

    /// <summary>The command line is wrong; nothing was done.</summary>
    Usage = 2,

    /// <summary>The specification, the catalog or the connections file is wrong; nothing was done.</summary>
    Invalid = 3,

    /// <summary>The environment, run, step or set does not exist.</summary>
    NotFound = 4,

    /// <summary>The Temporal server does not answer, refuses the caller, or no worker answers there.</summary>
    Unreachable = 5,

    /// <summary>The run did not accept what was asked of it; nothing was changed.</summary>
    Refused = 6,

    /// <summary>The run waits for an operator: an approval, or a decision about a failed step.</summary>
    Parked = 7,

    /// <summary>The run has ended without reaching its goal.</summary>
    RunFailed = 8,

    /// <summary>Another process uses the data directory, or the port to listen on.</summary>
    Busy = 9,

    /// <summary><c>plan --exit-code</c>, <c>schedules apply --plan --exit-code</c>: something would change; <c>drift --exit-code</c>: something differs.</summary>
    Changes = 10,

    /// <summary>Ctrl-C. The run goes on.</summary>
    Interrupted = 130,
}
