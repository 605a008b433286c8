using System.CommandLine;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Commands;

/// <summary>Prints scripts that ask the program itself for completions, so that they never fall behind it.</summary>
internal static class CompletionCommand
{
    private const string Bash =
        """
        _platformops() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -F _platformops platformops ./platformops
        """;

    private const string Zsh =
        """
        #compdef platformops
        _platformops() {
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -a found
        }
        compdef _platformops platformops ./platformops
        """;

    private const string Fish =
        """
        complete -c platformops -f -a '(set -l line (commandline -cp); platformops "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return new CliCommand(
            "completion",
            "Print the completion script of a shell.",
            new Example("completion bash > ~/.local/share/bash-completion/completions/platformops", "for every new bash"),
            new Example("completion fish > ~/.config/fish/completions/platformops.fish", "for every new fish"))
        {
            shell,
        }
        .Runs((invocation, _) =>
        {
            var script = invocation.Get(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish };
            invocation.Terminal.Line(script);
            invocation.Terminal.Result(new { shell = invocation.Get(shell), script });
            return Task.FromResult(ExitCode.Success);
        });
    }
}
