using System.CommandLine;
using System.CommandLine.Completions;
using PlatformOps.Workflows;

namespace PlatformOps.Starter.Commands;

/// <summary>Arguments and options that several commands about runs share.</summary>
internal static class RunArguments
{
    public static Argument<string> Environment()
    {
        var argument = new Argument<string>("environment") { Description = "The environment's name in the specification, for example development.", HelpName = "environment" };
        argument.CompletionSources.Add(context => Environments(context).Select(name => new CompletionItem(name)));
        return argument;
    }

    /// <summary>The same, where it may be left out.</summary>
    public static Argument<string> EnvironmentOr(string usual)
    {
        var argument = Environment();
        argument.DefaultValueFactory = _ => usual;
        return argument;
    }

    public static Argument<string> Step() =>
        new("step") { Description = "The step as `platformops status` shows it, for example temporal-history@us-east-1." };

    public static Option<string> Reason(bool required) =>
        new("--reason") { Description = "Why, for the report.", HelpName = "TEXT", Required = required };

    public static Option<bool> Detach() =>
        new("--detach") { Description = "Start the run and end; follow it with `status --watch`." };

    public static Option<string> By() =>
        new("--by") { Description = "Who decided. [default: $USER]", HelpName = "NAME" };

    public static Option<string> Run() =>
        new("--run") { Description = "The run, by its workflow id, for example drift/production. [default: provision/ENVIRONMENT]", HelpName = "ID" };

    public static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask." };

    public static Option<string> TaskQueue() =>
        new("--task-queue") { Description = $"Where the workers poll. [default: that of the running `up`, else {TaskQueues.Default}]", HelpName = "NAME" };

    public static Option<string[]> Components() => new("--components")
    {
        Description = "Only these and what they depend on.",
        HelpName = "NAME...",
        AllowMultipleArgumentsPerToken = true,
    };

    private static IEnumerable<string> Environments(CompletionContext context)
    {
        var invocation = new CommandLine.Invocation(context.ParseResult);
        var folder = Path.Combine(invocation.Locations.Specification, "environments");
        return Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*.yaml").Select(Path.GetFileNameWithoutExtension).OfType<string>().Order()
            : [];
    }
}
