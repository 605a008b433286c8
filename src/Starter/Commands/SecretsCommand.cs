using System.CommandLine;
using System.Globalization;
using PlatformOps.Platform.Yaml;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Starter.Commands;

/// <summary>Rotation of secrets: what is due, now, and regularly.</summary>
internal static class SecretsCommand
{
    public static Command Create() => new CliCommand("secrets", "Rotate secrets: finished only when every consumer is proved to use the new value.",
        new Example("secrets list production", "what is due"),
        new Example("secrets rotate production", "rotate that"),
        new Example("secrets schedule production --every 1d", "look every day"),
        new Example("secrets leak production --identity temporal-backend/temporal --deadline 30m", "replace everything that whoever runs as it can get at"))
    {
        ListCommand(), RotateCommand(), ScheduleCommand(), LeakCommand.Create(),
    };

    private static CliCommand ListCommand()
    {
        var environment = RunArguments.Environment();
        var queue = RunArguments.TaskQueue();
        return new CliCommand("list", "Show which secrets there are, how old they are, and which are due. Changes nothing.", new Example("secrets list production", "every secret of every region"))
        {
            environment, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            // An id of its own: it can look while another one rotates.
            var run = await RunbookRun.StartAsync(
                client, nameof(RotateSecrets), $"plan/secrets/{name}/{Guid.NewGuid():N}", name, new RotateSecretsInput { Environment = name, Mode = RunbookMode.Plan }, taskQueue, ct);
            var outcome = await new RunSession(invocation, run, taskQueue).AnswerAsync(ct);
            if (outcome.Report?.As<RotateSecretsReport>() is not { } report)
                throw new CommandFailure(ExitCode.RunFailed, $"The secrets of \"{name}\" cannot be listed.", outcome.Summary, $"platformops status {run.Named}");
            foreach (var secret in report.Found)
                invocation.Terminal.Line($"{Word(secret),-11} {secret.Secret}: {Age(secret, report.StartedAt)}; Secret {secret.Namespace}/{secret.KubernetesSecret}, every {Units.Format(secret.Every)}");
            invocation.Terminal.Line(report.Summary);
            invocation.Terminal.Result(new { environment = name, workflowId = run.Handle.Id, report });
            return outcome.ExitCode;
        });
    }

    private static CliCommand RotateCommand()
    {
        var environment = RunArguments.Environment();
        var secrets = new Argument<string[]>("secret") { Description = "Only these, due or not. Default: all that are due.", Arity = ArgumentArity.ZeroOrMore };
        var settle = new Option<string>("--settle") { Description = "How long every consumer has to be proved before the old value is revoked. [default: what the catalog says]", HelpName = "DURATION" };
        var within = new Option<string>("--prove-within") { Description = "How long that proof may take before the run parks, at most 24h. [default: 1h]", HelpName = "DURATION" };
        var nobody = new Option<string>("--no-consumers") { Description = "Why secrets for which no consumer is found are rotated all the same. [default: such a secret parks before it begins]", HelpName = "REASON" };
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "rotate",
            "Rotate secrets: make a new value, have it accepted, hand it out, restart each consumer once, prove all of them, then revoke the old one.",
            new Example("secrets rotate production", "all that are due"),
            new Example("secrets rotate production postgresql-temporal --settle 1h", "one, whose old value stays valid for an hour after the proof"))
        {
            environment, secrets, settle, within, nobody, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new RotateSecretsInput
            {
                Environment = name,
                Secrets = invocation.Get(secrets) is { Length: > 0 } some ? some : null,
                Settle = invocation.Get(settle),
                ProveWithin = invocation.Get(within),
                NoConsumers = invocation.Get(nobody),
            };
            var run = await RunbookRun.StartAsync(client, nameof(RotateSecrets), RotateSecrets.WorkflowId(name), name, input, taskQueue, ct);
            if (run.Joined && input.Secrets is not null)
                throw new CommandFailure(ExitCode.Refused, $"{run.Handle.Id} is running already.", "One run at a time; it was started with other input.", $"platformops status {run.Named} --watch");
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.ExitCode;
        });
    }

    private static CliCommand ScheduleCommand()
    {
        var environment = RunArguments.Environment();
        var every = new Option<string>("--every") { Description = "The time between two looks for what is due, for example 1d; at least 1m.", HelpName = "DURATION", Required = true };
        var queue = RunArguments.TaskQueue();
        return new CliCommand("schedule", "Rotate what is due regularly. Creates the schedule, or changes the one that exists.", new Example("secrets schedule production --every 1d", "look every day"))
        {
            environment, every, queue,
        }
        .Runs((invocation, ct) => RunSchedule.PutAsync(invocation, nameof(RotateSecrets), invocation.Get(environment), invocation.Get(every)!, "secrets schedule", invocation.Get(queue), ct));
    }

    private static string Word(FoundSecret secret) => secret.Unfinished ? "UNFINISHED" : secret.Due ? "due" : "ok";

    private static string Age(FoundSecret secret, DateTimeOffset now) => secret.Since is { } since
        ? string.Create(CultureInfo.InvariantCulture, $"version {secret.Version}, {(now - since).TotalDays:0.#} days old")
        : "never rotated";
}
