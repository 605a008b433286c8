using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using PlatformOps.Starter.Commands;

namespace PlatformOps.Starter.CommandLine;

/// <summary>The program: a table of its commands.</summary>
internal static class CommandLineProgram
{
    public static RootCommand Create()
    {
        var root = new RootCommand("Durable runbooks that provision and run a platform, on Temporal.");
        foreach (var option in GlobalOptions.All)
            root.Options.Add(option);
        Command[] commands =
        [
            UpCommand.Create(),
            ValidateCommand.Create(),
            PlanCommand.Create(),
            ProvisionCommand.Create(),
            DriftCommand.Create(),
            UpgradeCommand.Create(),
            RolloutCommand.Create(),
            ScaleCommand.Create(),
            VerifyCapacityCommand.Create(),
            AutoscaleCommand.Create(),
            LedgerCommand.Create(),
            DecommissionCommand.Create(),
            BackupCommand.Create(),
            RestoreCommand.Create(),
            SecretsCommand.Create(),
            CertificatesCommand.Create(),
            SchedulesCommand.Create(),
            FailoverCommand.Create(),
            FailbackCommand.Create(),
            AcknowledgeCommand.Create(),
            MaintenanceCommand.Create(),
            StatusCommand.Create(),
            ApproveCommand.Create(),
            RejectCommand.Create(),
            AbortCommand.Create(),
            RetryCommand.Create(),
            SkipCommand.Create(),
            RunbooksCommand.Create(),
            ReplayCommand.Create(),
            BootstrapCommand.Create(),
            ServerCommand.Create(),
            GuardCommand.Create(),
            WorkerCommand.Create(),
            AlertsCommand.Create(),
            CodecCommand.Create(),
            DemoCommand.Create(),
            SchemaCommand.Create(),
            VersionCommand.Create(),
            CompletionCommand.Create(),
        ];
        foreach (var command in commands)
            root.Subcommands.Add(command);
        foreach (var help in root.Options.OfType<HelpOption>())
            help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var parsed = Create().Parse(args.Count == 0 ? ["--help"] : ServerCommand.Rewrite(args));
        if (parsed.Action is ParseErrorAction)
            return (int)ReportUsage(parsed);
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            // Failures are reported by the commands; what escapes them is a defect and may look like one.
            EnableDefaultExceptionHandler = false,
            // The first Ctrl-C cancels and lets the command say what goes on and stop what it started.
            ProcessTerminationTimeout = parsed.CommandResult.Command is CliCommand command ? command.MayStopWithin : TimeSpan.FromSeconds(15),
        });
    }

    private static ExitCode ReportUsage(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var failure = new CommandFailure(
            ExitCode.Usage,
            "The command line cannot be understood.",
            string.Join('\n', Problems(parsed)),
            $"platformops {string.Concat(Words(command).Select(word => $"{word} "))}--help");
        return new Invocation(parsed).Terminal.Report(failure, failure);
    }

    /// <summary>As they are typed, from the outermost to this command.</summary>
    private static IEnumerable<string> Words(Command command) =>
        command is RootCommand ? [] : [.. command.Parents.OfType<Command>().Take(1).SelectMany(Words), command.Name];

    private static IEnumerable<string> Problems(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is not RootCommand root)
            return parsed.Errors.Select(error => error.Message);
        var commands = $"The commands are: {string.Join(", ", root.Subcommands.Select(command => command.Name))}.";
        return parsed.UnmatchedTokens is [var word, ..]
            ? [$"There is no command or option '{word}'.", commands]
            : [.. parsed.Errors.Select(error => error.Message), commands];
    }
}
