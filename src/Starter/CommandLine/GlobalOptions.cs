using System.CommandLine;

namespace PlatformOps.Starter.CommandLine;

/// <summary>The options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<OutputFormat> Output = new("--output", "-o")
    {
        Description = "text for people, json for programs: the last line of standard output is one JSON object.",
        HelpName = "text|json",
        Recursive = true,
    };

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
}

/// <summary>How results are written.</summary>
internal enum OutputFormat
{
    Text,
    Json,
}
