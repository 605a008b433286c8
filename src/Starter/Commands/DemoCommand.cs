using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Demos;
using PlatformOps.Starter.Specifications;

namespace PlatformOps.Starter.Commands;

/// <summary>Capabilities shown end to end on this machine.</summary>
internal static class DemoCommand
{
    public static Command Create() => new CliCommand(
        "demo", "Show a capability end to end on this machine. The last line is the result as JSON.", new Example("demo failover", "the primary of two real PostgreSQL servers dies under load"), new Example("demo rotation", "credentials, a certificate and its root are replaced while every pod uses them"))
    {
        Failover(), Rotation(), Scaling(), Backup(),
    };

    private static CliCommand Scaling()
    {
        const string ScaledInDemo = "business-workers";
        var seed = new Option<int>("--seed") { Description = "Another day: the same seed gives the same one.", HelpName = "N", DefaultValueFactory = _ => 1 };
        return new CliCommand(
            "scaling",
            "A simulated day of load on the business workers of the reference platform: every change with its reason, and whether an activity was cut off. Takes a second.",
            new Example("demo scaling", "a day with a surge"),
            new Example("demo scaling --seed 7 --output json", "another one; only the result on standard output"))
        {
            seed,
        }
        .Runs((invocation, _) =>
        {
            var validation = Validation.Of(invocation.Locations);
            var environment = (validation.Specification ?? throw validation.Refusal(invocation.Locations)).Environments.FirstOrDefault(item => DeclaredScaling.RangeOf(item, ScaledInDemo) is not null);
            if (environment is null || validation.Catalog!.Find(ScaledInDemo) is not { } component || DeclaredScaling.Of(environment, component, environment.PrimaryRegion) is not { } how)
                throw new CommandFailure(ExitCode.NotFound, $"The specification has no environment with a scaling range for {ScaledInDemo}.", "The demo uses its signals and its range.", "Use the reference platform: leave --specification out.");
            var result = new ScalingDemo(invocation.Terminal, how, DeclaredScaling.RangeOf(environment, ScaledInDemo)!, invocation.Get(seed)).Run();
            Console.Out.WriteLine(JsonSerializer.Serialize(result, JsonOutput.Compact));
            return Task.FromResult(result.Outcome == "held" ? ExitCode.Success : ExitCode.RunFailed);
        });
    }

    private static CliCommand Rotation()
    {
        var consumers = new Option<int?>("--consumers") { Description = "So many Deployments of one pod use one login, and the result says how long it took beside what restarting them takes, 1 to 500. [default: two logins with three consumers, a certificate and its root, and no times]", HelpName = "N", CustomParser = result => Number(result, "--consumers", 500) };
        return new CliCommand(
            "rotation",
            "A real PostgreSQL server, Vault, and pods that log in and make handshakes all the time: credentials, a certificate and its root are replaced, every consumer is proved, the old ones are refused, and no value or key is found anywhere it must not be.",
            new Example("demo rotation", "two logins with three consumers, and two Deployments that speak TLS"),
            new Example("demo rotation --consumers 20 --output json", "one login with twenty, measured; only the result on standard output"))
        {
            consumers,
        }
        .Runs(async (invocation, ct) =>
        {
            var count = invocation.Get(consumers);
            var result = await new RotationDemo(invocation.Terminal, count).RunAsync(ct);
            Console.Out.WriteLine(JsonSerializer.Serialize(result, JsonOutput.Compact));
            return result is { Outcome: "rotated", FailedAuthentications: 0, FailedHandshakes: null or 0, UnprovedConsumers: 0, CanariesFound: 0 } ? ExitCode.Success : ExitCode.RunFailed;
        });
    }

    private static CliCommand Backup()
    {
        var megabytes = new Option<int?>("--megabytes") { Description = "Back up and prove so much data instead, measured beside pgBackRest alone, 1 to 100000. [default: the story]", HelpName = "N", CustomParser = result => Number(result, "--megabytes", 100_000) };
        return new CliCommand(
            "backup",
            "A real PostgreSQL pair is backed up under load, the set is proved, everything is deleted, and the moment before comes back: with a backup of what is overwritten, approval, and every row accounted for.",
            new Example("demo backup", "the whole story"), new Example("demo backup --output json", "only the result on standard output"))
        {
            megabytes,
        }
        .Runs(async (invocation, ct) =>
        {
            var amount = invocation.Get(megabytes);
            var (regions, sources) = Pair(invocation);
            var result = await new BackupDemo(invocation.Terminal, invocation.Verbose, amount).RunAsync(regions, sources, ct);
            Console.Out.WriteLine(JsonSerializer.Serialize(result, JsonOutput.Compact));
            // Of the sets that are measured the newest is proved.
            var proved = result.Outcome == "measured" ? result.Proved > 0 : result.Proved == result.Sets;
            return result is { Outcome: "restored" or "measured", RowsMissingOlderThanRpo: 0 } && proved ? ExitCode.Success : ExitCode.RunFailed;
        });
    }

    /// <param name="most">At least it is 1.</param>
    private static int? Number(ArgumentResult result, string option, int most)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most)
            return number;
        result.AddError($"{option} is '{text}': a whole number from 1 to {most.ToString(CultureInfo.InvariantCulture)} is expected.");
        return null;
    }

    /// <summary>The regions of the environment that demos with a pair of databases play, and where it is read.</summary>
    private static ((string First, string Second) Regions, ProvisioningSources Sources) Pair(Invocation invocation)
    {
        var validation = Validation.Of(invocation.Locations);
        var environment = (validation.Specification ?? throw validation.Refusal(invocation.Locations)).Environments.FirstOrDefault(item => item.Name == FailoverWorld.Environment);
        return environment is { Regions.Count: >= 2 }
            ? ((environment.Regions[0].Name, environment.Regions[1].Name), new(invocation.Locations.Specification, invocation.Locations.Catalog))
            : throw new CommandFailure(ExitCode.NotFound, $"The specification has no environment {FailoverWorld.Environment} with two regions.", "The demo uses its regions and its policies.", "Use the reference platform: leave --specification out.");
    }

    private static CliCommand Failover()
    {
        var scenario = new Option<FailoverScenario>("--scenario") { Description = "What happens: NodeLost, PostmasterKilled, GuardKilled, Switchover.", DefaultValueFactory = _ => FailoverScenario.NodeLost };
        var asynchronous = new Option<bool>("--asynchronous") { Description = "Commits do not wait for the standby: what was not sent yet is lost with the primary, and is told." };
        return new CliCommand(
            "failover",
            "Two real PostgreSQL servers under load; the primary dies, the run notices, decides, promotes the standby and rebuilds the other, and every row is accounted for.",
            new Example("demo failover", "the machine of the primary is lost"),
            new Example("demo failover --scenario Switchover", "an operator asks for a change of places, without loss"),
            new Example("demo failover --asynchronous --output json", "with loss that is told; only the result on standard output"))
        {
            scenario, asynchronous,
        }
        .Runs(async (invocation, ct) =>
        {
            var (regions, sources) = Pair(invocation);
            var result = await new FailoverDemo(invocation.Terminal, invocation.Get(scenario), !invocation.Get(asynchronous), invocation.Verbose).RunAsync(regions, sources, ct);
            Console.Out.WriteLine(JsonSerializer.Serialize(result, JsonOutput.Compact));
            return result is { MaxWritablePrimaries: 1, Outcome: "completed" or FailoverDemo.RestartedInPlace } && (result.Lost == 0 || result is { Synchronous: false, Outcome: "completed" }) ? ExitCode.Success : ExitCode.RunFailed;
        });
    }
}
