using System.CommandLine;
using System.CommandLine.Parsing;

namespace PlatformOps.Starter.CommandLine;

/// <summary>The options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<OutputFormat> Output = CreateOutput();

    public static readonly Option<string> Data = new("--data")
    {
        Description = "Where `up` keeps its state. [default: $XDG_STATE_HOME/platformops or ~/.local/state/platformops]",
        HelpName = "DIR",
        Recursive = true,
    };

    public static readonly Option<string> Specification = new("--specification")
    {
        Description = "The platform specification: platform.yaml and environments/*.yaml. [default: $PLATFORMOPS_SPECIFICATION or examples/reference]",
        HelpName = "DIR",
        Recursive = true,
    };

    public static readonly Option<string> Catalog = new("--catalog")
    {
        Description = "The component catalog. [default: $PLATFORMOPS_CATALOG or k8s/components]",
        HelpName = "DIR",
        Recursive = true,
    };

    public static readonly Option<bool> NoColor = new("--no-color")
    {
        Description = "Text without colors; NO_COLOR=1 does the same.",
        Recursive = true,
    };

    public static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Warnings and stack traces on standard error.",
        Recursive = true,
    };

    public static IEnumerable<Option> All => [Output, Data, Specification, Catalog, NoColor, Verbose];

    private static Option<OutputFormat> CreateOutput()
    {
        var option = new Option<OutputFormat>("--output", "-o")
        {
            Description = "text for people, json for programs: the last line of standard output is one JSON object.",
            HelpName = "text|json",
            Recursive = true,
            CustomParser = ReadFormat,
        };
        // The names of the enumeration would be offered as well, in a case that nobody types.
        option.CompletionSources.Clear();
        option.CompletionSources.Add("text", "json");
        return option;
    }

    private static OutputFormat ReadFormat(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (Enum.GetNames<OutputFormat>().FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } format)
            return Enum.Parse<OutputFormat>(format);
        result.AddError($"--output is '{text}': text or json is expected.");
        return default;
    }
}

/// <summary>How results are written.</summary>
internal enum OutputFormat
{
    Text,
    Json,
}
