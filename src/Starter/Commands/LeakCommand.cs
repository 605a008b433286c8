using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Starter.Commands;

/// <summary>Something got into wrong hands: what it reaches, and replacing all of that.</summary>
internal static class LeakCommand
{
    public static Command Create()
    {
        var environment = RunArguments.Environment();
        var path = new Option<string>("--path") { Description = "A path in Vault that leaked, with everything below it.", HelpName = "PATH" };
        var identity = new Option<string>("--identity") { Description = "Who leaked: a login, user or role; a service account as NAMESPACE/NAME; a workload as NAMESPACE/KIND/NAME.", HelpName = "WHO" };
        var deadline = new Option<string>("--deadline") { Description = "When all of it has to be replaced, 5m to 24h from now. [default: 1h]", HelpName = "DURATION" };
        var settle = new Option<string>("--settle") { Description = "How long every consumer has to be proved before a leaked value is revoked. [default: a tenth of the deadline, at most 10m]", HelpName = "DURATION" };
        var planOnly = new Option<bool>("--plan") { Description = "Only show what it reaches. Changes nothing." };
        var yes = RunArguments.Yes();
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "leak",
            "Replace everything that a leaked path or identity reaches, what lets read the most first, before a deadline. Shows what that is, and asks.",
            new Example("secrets leak production --identity temporal-backend/temporal --plan", "what whoever runs as this service account can get at"),
            new Example("secrets leak production --path platform/postgresql --deadline 30m --yes", "replace it within half an hour, without a question"))
        {
            environment, path, identity, deadline, settle, planOnly, yes, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var input = new LeakResponseInput
            {
                Environment = name,
                Path = invocation.Get(path),
                Identity = invocation.Get(identity),
                Deadline = invocation.Get(deadline),
                Settle = invocation.Get(settle),
            };
            if (input.Path is null == input.Identity is null)
                throw new CommandFailure(ExitCode.Usage, "Exactly one of --path and --identity says what leaked.", "", "platformops secrets leak --help");
            var client = await invocation.ConnectForAsync(name, ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            // An id of its own: it can look while another one rotates.
            var look = await RunbookRun.StartAsync(client, nameof(LeakResponse), $"plan/leak/{name}/{Guid.NewGuid():N}", name, input with { Mode = RunbookMode.Plan }, taskQueue, ct);
            var seen = await new RunSession(invocation, look, taskQueue).AnswerAsync(ct);
            if (seen.Report?.As<LeakResponseReport>() is not { } plan)
                throw new CommandFailure(ExitCode.RunFailed, $"What {input.Path ?? input.Identity} reaches cannot be said.", seen.Summary, $"platformops status {look.Named}");
            foreach (var secret in plan.Reached)
                invocation.Terminal.Line($"wave {secret.Wave + 1}  {secret.Name}@{secret.Region}: {secret.Why}{(secret.Opens > 0 ? $" It lets read {secret.Opens} others." : "")} {secret.Consumers.Count} consumers.");
            foreach (var task in plan.ForPeople)
                invocation.Terminal.Line($"people  {task}");
            if (invocation.Get(planOnly) || plan.Reached.Count == 0)
            {
                invocation.Terminal.Line(plan.Summary);
                invocation.Terminal.Result(new { environment = name, workflowId = look.Handle.Id, report = plan });
                return seen.ExitCode;
            }

            invocation.Confirm(invocation.Get(yes), $"{plan.Summary} Replace them within {input.Deadline ?? "1h"}? Their consumers are restarted.");
            var run = await RunbookRun.StartAsync(client, nameof(LeakResponse), LeakResponse.WorkflowId(name), name, input, taskQueue, ct);
            if (run.Joined)
                throw new CommandFailure(ExitCode.Refused, $"{run.Handle.Id} is running already.", "One run at a time; it was started for another leak or with other input.", $"platformops status {run.Named} --watch");
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            foreach (var task in outcome.Report?.As<LeakResponseReport>().ForPeople ?? [])
                invocation.Terminal.Line($"people  {task}");
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.ExitCode;
        });
    }
}
