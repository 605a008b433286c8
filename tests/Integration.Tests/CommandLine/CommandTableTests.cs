using System.CommandLine;
using System.CommandLine.Parsing;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Commands;

namespace PlatformOps.Integration.Tests.CommandLine;

/// <summary>What holds for every command.</summary>
public class CommandTableTests
{
    private static readonly RootCommand Root = CommandLineProgram.Create();

    public static TheoryData<string> Commands => [.. Root.Subcommands.Select(command => command.Name)];

    public static TheoryData<string> Examples => [.. Root.Subcommands.OfType<CliCommand>().SelectMany(command => command.Examples).Select(example => example.Line)];

    [Fact]
    public async Task What_a_run_sets_for_the_run_that_continues_it_is_no_field_for_anybody_else()
    {
        using var cli = new Cli();
        var runbook = Assert.Single((await cli.RunAsync("runbooks", "RegionFailover", "--output", "json")).Json.GetProperty("runbooks").EnumerateArray());
        var fields = runbook.GetProperty("input").GetProperty("properties").EnumerateObject().Select(field => field.Name).ToList();
        Assert.Contains("environment", fields);
        Assert.DoesNotContain("state", fields);
    }

    [Theory, MemberData(nameof(Commands))]
    public void Says_what_it_does_and_gives_an_example(string name)
    {
        var command = Assert.IsType<CliCommand>(Root.Subcommands.Single(command => command.Name == name));
        Assert.EndsWith(".", command.Description);
        Assert.NotEmpty(command.Examples);
        Assert.All(command.Examples, example => Assert.StartsWith(name, example.Line));
        Assert.All(command.Options.Concat<Symbol>(command.Arguments), symbol => Assert.False(string.IsNullOrEmpty(symbol.Description), symbol.Name));
    }

    [Theory, MemberData(nameof(Examples))]
    public void Understands_its_own_examples(string line)
    {
        // What follows is the shell's.
        var own = line.Split(" > ")[0];
        var parsed = Root.Parse(ServerCommand.Rewrite([.. CommandLineParser.SplitCommandLine(own)]));
        Assert.Empty(parsed.Errors.Select(error => error.Message));
        // The words of a Temporal server's command line are for the server itself to understand.
        if (parsed.CommandResult.Command.TreatUnmatchedTokensAsErrors)
            Assert.Empty(parsed.UnmatchedTokens);
    }

    [Theory, MemberData(nameof(Commands))]
    public async Task Prints_its_examples_and_the_exit_codes_as_help(string name)
    {
        using var output = new StringWriter();
        var exitCode = await Root.Parse([name, "--help"]).InvokeAsync(new InvocationConfiguration { Output = output });
        Assert.Equal(0, exitCode);
        Assert.Contains($"Examples:{Environment.NewLine}  platformops {name}", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Exit codes:", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_exit_code_has_a_meaning_and_only_one() =>
        Assert.Equal(Enum.GetValues<ExitCode>().Order(), ExitCodes.Meanings.Select(meaning => meaning.Code).Order());
}
