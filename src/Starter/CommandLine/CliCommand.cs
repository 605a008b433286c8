using System.CommandLine;
using PlatformOps.Starter.Connection;

namespace PlatformOps.Starter.CommandLine;

/// <summary>A command with examples whose action reports failures in one way.</summary>
internal sealed class CliCommand : Command
{
    public CliCommand(string name, string description, params Example[] examples)
        : base(name, description) => Examples = examples;

    public IReadOnlyList<Example> Examples { get; }

    /// <summary>How long it may go on after the first Ctrl-C: to stop what it started.</summary>
    public TimeSpan MayStopWithin { get; private set; } = TimeSpan.FromSeconds(15);

    /// <summary>Sets that.</summary>
    public CliCommand StopsWithin(TimeSpan time)
    {
        MayStopWithin = time;
        return this;
    }

    /// <summary>Sets what the command does. Failures end up on standard error as text or JSON, never as a stack trace.</summary>
    public CliCommand Runs(Func<Invocation, CancellationToken, Task<ExitCode>> action)
    {
        SetAction(async (parsed, ct) =>
        {
            var invocation = new Invocation(parsed);
            if (invocation.Verbose)
                SdkRuntime.Verbose();
            try
            {
                return (int)await action(invocation, ct);
            }
            catch (Exception failure)
            {
                return (int)invocation.Terminal.Report(Failures.Describe(failure, invocation, ct), failure);
            }
        });
        return this;
    }
}
