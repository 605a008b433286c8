using System.CommandLine;

namespace PlatformOps.Starter.CommandLine;

/// <summary>One call of one command: what was typed, where things are, and where to write.</summary>
internal sealed class Invocation
{
    private readonly ParseResult parsed;

    public Invocation(ParseResult parsed)
    {
        this.parsed = parsed;
        Locations = Locations.From(
            Understood(GlobalOptions.Data), Understood(GlobalOptions.Specification), Understood(GlobalOptions.Catalog));
        Verbose = Understood(GlobalOptions.Verbose);
        Terminal = new Terminal(Understood(GlobalOptions.Output) == OutputFormat.Json, Understood(GlobalOptions.NoColor), Verbose);
    }

    public Locations Locations { get; }

    public Terminal Terminal { get; }

    public bool Verbose { get; }

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    /// <summary>Words that the command itself did not ask for, when it lets them pass.</summary>
    public IReadOnlyList<string> Unmatched => parsed.UnmatchedTokens;

    /// <summary>Whether the option was typed, rather than left at its default.</summary>
    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>A command line with mistakes in it still says where to report them; what is itself a mistake counts as not typed.</summary>
    private T? Understood<T>(Option<T> option) =>
        parsed.Errors.Any(error => error.SymbolResult == parsed.GetResult(option) || error.SymbolResult?.Parent == parsed.GetResult(option))
            ? default
            : parsed.GetValue(option);
}
