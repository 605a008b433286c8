using System.Text.Json;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace PlatformOps.Starter.CommandLine;

/// <summary>Where a command writes: results to standard output, failures to standard error, progress to standard output as text
/// and to standard error when standard output carries JSON.</summary>
internal sealed class Terminal
{
    private readonly bool noColor;
    private readonly bool verbose;
    private readonly Lazy<IAnsiConsole> console;

    public Terminal(bool json, bool noColor, bool verbose)
    {
        Json = json;
        this.noColor = noColor;
        this.verbose = verbose;
        console = new Lazy<IAnsiConsole>(() => Create(Console.Out, Console.IsOutputRedirected));
        Interactive = !json && !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not "dumb";
    }

    /// <summary>Whether results are JSON.</summary>
    public bool Json { get; }

    /// <summary>Whether standard output is a terminal that can be redrawn.</summary>
    public bool Interactive { get; }

    /// <summary>Whether somebody can answer a question.</summary>
    public bool CanAsk => Interactive && !Console.IsInputRedirected;

    /// <summary>The console for text; do not use with <see cref="Json"/>.</summary>
    public IAnsiConsole Text => console.Value;

    /// <summary>One line for people; not written with <see cref="Json"/>. Takes no markup.</summary>
    public void Line(string text = "")
    {
        if (!Json)
            Console.Out.WriteLine(text);
    }

    /// <summary>One line of progress.</summary>
    public void Progress(string text) => (Json ? Console.Error : Console.Out).WriteLine(text);

    /// <summary>Something drawn, for people; not written with <see cref="Json"/>.</summary>
    public void Draw(IRenderable drawing)
    {
        if (!Json)
            Text.Write(drawing);
    }

    /// <summary>The result as one line of JSON; not written as text.</summary>
    public void Result<T>(T result)
    {
        if (Json)
            Console.Out.WriteLine(JsonSerializer.Serialize(result, JsonOutput.Compact));
    }

    /// <summary>Writes a failure and gives the exit code to end with.</summary>
    public ExitCode Report(CommandFailure failure, Exception cause)
    {
        if (Json)
            Console.Error.WriteLine(JsonSerializer.Serialize(
                new
                {
                    error = new { failure.What, failure.Why, failure.Next, failure.Problems, exitCode = (int)failure.ExitCode },
                },
                JsonOutput.Compact));
        else
            WriteText(failure);

        if (verbose)
            Console.Error.WriteLine(cause);
        return failure.ExitCode;
    }

    private void WriteText(CommandFailure failure)
    {
        var error = Create(Console.Error, Console.IsErrorRedirected);
        error.MarkupLineInterpolated($"[red bold]error:[/] {failure.What}");
        // Written plainly: wrapped at a terminal's width they could not be copied, and editors could not jump to them.
        foreach (var problem in failure.Problems)
            Console.Error.WriteLine($"  {problem}");
        if (failure.Why.Length > 0)
            Console.Error.WriteLine($"  why:  {failure.Why.ReplaceLineEndings("\n        ")}");
        if (failure.Next.Length > 0)
            Console.Error.WriteLine($"  next: {failure.Next.ReplaceLineEndings("\n        ")}");
    }

    private IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        var colors = !noColor && !redirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var created = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = colors ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
            Out = new AnsiConsoleOutput(writer),
        });
        if (redirected)
            created.Profile.Width = 160;
        return created;
    }
}
