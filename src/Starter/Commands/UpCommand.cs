using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Up;

namespace PlatformOps.Starter.Commands;

internal static class UpCommand
{
    public static Command Create()
    {
        var environment = RunArguments.EnvironmentOr("development");
        var once = new Option<bool>("--once") { Description = "End after the provisioning instead of staying in the foreground." };
        var approve = new Option<bool>("--approve") { Description = "Approve the plan where the environment wants an approval; without it you are asked." };
        var reset = new Option<bool>("--reset") { Description = "Forget the runs and the platform in the data directory, and start afresh." };
        var port = ServerArguments.Port("TCP port of the bootstrap server; 0 lets the operating system choose. The default gives way to a free one when it is taken.");
        var noWorker = new Option<bool>("--no-worker") { Description = "Start no worker: a separate `platformops worker` carries the runs out." };
        var timeScale = new Option<double>("--time-scale")
        {
            Description = "Multiplies every simulated delay: 0.1 is ten times as fast, 0 at once.",
            HelpName = "FACTOR",
            DefaultValueFactory = _ => 1,
            CustomParser = ReadTimeScale,
        };
        var seed = new Option<int>("--seed") { Description = "Decides the simulated ready times: the same seed, the same times.", HelpName = "NUMBER", DefaultValueFactory = _ => 1, CustomParser = ReadSeed };
        return new CliCommand(
            "up",
            "Run everything in one process: the bootstrap server, a worker and the sandbox; bring an environment up in it and stay in the foreground.",
            new Example("up", "the development environment of the reference platform, until Ctrl-C"),
            new Example("up --once --output json", "for a pipeline: end after the provisioning, 0 only when healthy"),
            new Example("up staging --data /tmp/staging --reset", "another environment, from nothing, with state of its own"),
            new Example("up production --once --approve", "both regions of the full platform, without a question"),
            new Example("up --no-worker --time-scale 0.1", "faster, and carried out by a separate `platformops worker`"))
        {
            environment, once, approve, reset, port, noWorker, timeScale, seed,
        }
        .Runs((invocation, ct) => new UpSession(invocation, new UpOptions(
            invocation.Get(environment), invocation.Get(port), PortIsWish: !invocation.Has(port), invocation.Get(timeScale), invocation.Get(seed),
            Worker: !invocation.Get(noWorker), invocation.Get(once), invocation.Get(approve), invocation.Get(reset))).RunAsync(ct));
    }

    private static double ReadTimeScale(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var factor) || factor > 1000)
            result.AddError($"--time-scale is '{text}': a number from 0 to 1000 is expected.");
        return factor;
    }

    private static int ReadSeed(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seed))
            result.AddError($"--seed is '{text}': a whole number is expected.");
        return seed;
    }
}
