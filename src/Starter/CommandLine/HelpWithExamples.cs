using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace PlatformOps.Starter.CommandLine;

/// <summary>The usual help, then the command's examples, and on the root the exit codes.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        usual.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command;
        if (command is CliCommand { Examples: [_, ..] examples })
        {
            output.WriteLine("Examples:");
            foreach (var example in examples)
                output.WriteLine($"  platformops {example.Line}{Environment.NewLine}      {example.Meaning}");
            output.WriteLine();
        }

        output.WriteLine("Exit codes:");
        foreach (var (code, meaning) in ExitCodes.Meanings)
            output.WriteLine($"  {(int)code,3}  {meaning}");
        return (int)ExitCode.Success;
    }
}
