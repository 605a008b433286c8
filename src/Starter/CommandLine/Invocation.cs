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
            parsed.GetValue(GlobalOptions.Data), parsed.GetValue(GlobalOptions.Specification), parsed.GetValue(GlobalOptions.Catalog));
        Verbose = parsed.GetValue(GlobalOptions.Verbose);
        Terminal = new Terminal(
            parsed.GetValue(GlobalOptions.Output) == OutputFormat.Json, parsed.GetValue(GlobalOptions.NoColor), Verbose);
    }

    public Locations Locations { get; }

    public Terminal Terminal { get; }

    public bool Verbose { get; }

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    /// <summary>Whether the option was typed, rather than left at its default.</summary>
    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };
}
