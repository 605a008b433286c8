using System.CommandLine;
using System.Globalization;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

/// <summary>Rotation of certificates: what there is, now, and regularly.</summary>
internal static class CertificatesCommand
{
    public static Command Create() => new CliCommand("certificates", "Rotate certificates: finished only when every pod is proved to serve the new one.",
        new Example("certificates list production", "what there is, and until when"),
        new Example("certificates rotate production", "rotate what is due"),
        new Example("certificates rotate-authority production internal --region us-east-1", "replace a root"),
        new Example("certificates schedule production --every 1h", "look every hour"))
    {
        ListCommand(), RotateCommand(), RotateAuthorityCommand(), ScheduleCommand(),
    };

    private static CliCommand ListCommand()
    {
        var environment = RunArguments.Environment();
        var queue = RunArguments.TaskQueue();
        return new CliCommand("list", "Show which certificates there are, who renews each, until when it is valid, and which are due. Changes nothing.",
            new Example("certificates list production", "those that end first come first"),
            new Example("certificates list production --output json", "for a program"))
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
                client, nameof(RotateCertificates), $"plan/certificates/{name}/{Guid.NewGuid():N}", name, new RotateCertificatesInput { Environment = name, Mode = RunbookMode.Plan }, taskQueue, ct);
            var outcome = await new RunSession(invocation, run, taskQueue).AnswerAsync(ct);
            if (outcome.Report?.As<RotateCertificatesReport>() is not { } report)
                throw new CommandFailure(ExitCode.RunFailed, $"The certificates of \"{name}\" cannot be listed.", outcome.Summary, $"platformops status {run.Named}");
            foreach (var found in report.Found)
            {
                invocation.Terminal.Line($"{Word(found),-12} {found.Certificate}: {Until(found, report.StartedAt)}; {found.Where}, {Owner(found.Owner)}");
                if (found.Next is { } next)
                    invocation.Terminal.Line($"{"",-12}   {next}");
            }
            if (report.Total > report.Found.Count)
                invocation.Terminal.Line($"... and {report.Total - report.Found.Count} that end later.");
            invocation.Terminal.Line(report.Summary);
            invocation.Terminal.Result(new
            {
                environment = name,
                workflowId = run.Handle.Id,
                certificates = report.Found.Select(found => new
                {
                    certificate = found.Certificate.Name,
                    region = found.Certificate.Region,
                    owner = found.Owner,
                    where = found.Where,
                    notAfter = found.NotAfter,
                    daysLeft = found.NotAfter is { } end ? Math.Round((end - report.StartedAt).TotalDays, 1) : (double?)null,
                    dueAt = found.DueAt,
                    due = found.Due,
                    unfinished = found.Unfinished,
                    next = found.Next,
                }),
                total = report.Total,
                summary = report.Summary,
            });
            return outcome.ExitCode;
        });
    }

    private static CliCommand RotateCommand()
    {
        var environment = RunArguments.Environment();
        var certificates = new Argument<string[]>("certificate") { Description = "Only these, due or not. Default: all that are due.", Arity = ArgumentArity.ZeroOrMore };
        var settle = new Option<string>("--settle") { Description = "How long every pod has to be proved before the old certificate is revoked. [default: what the catalog says]", HelpName = "DURATION" };
        var within = new Option<string>("--prove-within") { Description = "How long that proof may take before the run parks, at most 24h. [default: 1h]", HelpName = "DURATION" };
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "rotate",
            "Rotate certificates: make a key, have it signed, hand both out, refresh each consumer, prove every pod in a handshake, then revoke the old one.",
            new Example("certificates rotate production", "all that are due"),
            new Example("certificates rotate production web --settle 1h", "one, whose old certificate stays valid for an hour after the proof"))
        {
            environment, certificates, settle, within, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new RotateCertificatesInput
            {
                Environment = name,
                Certificates = invocation.Get(certificates) is { Length: > 0 } some ? some : null,
                Settle = invocation.Get(settle),
                ProveWithin = invocation.Get(within),
            };
            var run = await RunbookRun.StartAsync(client, nameof(RotateCertificates), RotateCertificates.WorkflowId(name), name, input, taskQueue, ct);
            if (run.Joined && input.Certificates is not null)
                throw new CommandFailure(ExitCode.Refused, $"{run.Handle.Id} is running already.", "One run at a time; it was started with other input.", $"platformops status {run.Named} --watch");
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.ExitCode;
        });
    }

    private static CliCommand RotateAuthorityCommand()
    {
        var environment = RunArguments.Environment();
        var authority = new Argument<string>("authority") { Description = "Its name in the catalog." };
        var region = new Option<string>("--region") { Description = "The region whose authority is meant.", HelpName = "NAME", Required = true };
        var settle = new Option<string>("--settle") { Description = "How long every pod has to be seen to serve certificates of the new root before the old one is dropped. [default: what the catalog says]", HelpName = "DURATION" };
        var within = new Option<string>("--prove-within") { Description = "How long pods may take to be proved before the run parks or goes back, at most 24h. [default: 1h]", HelpName = "DURATION" };
        var queue = RunArguments.TaskQueue();
        return new CliCommand(
            "rotate-authority",
            "Replace the root of a certificate authority: add trust, prove it at every pod, issue, roll, prove serving, drop trust, prove that. Goes back by itself while it can.",
            new Example("certificates rotate-authority production internal --region us-east-1", "the authority of one region"))
        {
            environment, authority, region, settle, within, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var client = await invocation.ConnectForAsync(name, ct);
            var taskQueue = invocation.TaskQueueOr(invocation.Get(queue));
            var input = new RotateCertificateAuthorityInput
            {
                Environment = name,
                Authority = invocation.Get(authority),
                Region = invocation.Get(region),
                Settle = invocation.Get(settle),
                ProveWithin = invocation.Get(within),
            };
            var id = RotateCertificateAuthority.WorkflowId(name, input.Authority!, input.Region!);
            var run = await RunbookRun.StartAsync(client, nameof(RotateCertificateAuthority), id, name, input, taskQueue, ct);
            var outcome = await run.FollowAsync(invocation, taskQueue, ct);
            RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
            return outcome.ExitCode;
        });
    }

    private static CliCommand ScheduleCommand()
    {
        var environment = RunArguments.Environment();
        var every = new Option<string>("--every") { Description = "The time between two looks for what is due, for example 1h; at least 1m.", HelpName = "DURATION", Required = true };
        var queue = RunArguments.TaskQueue();
        return new CliCommand("schedule", "Rotate what is due regularly. Creates the schedule, or changes the one that exists.", new Example("certificates schedule production --every 1h", "look every hour"))
        {
            environment, every, queue,
        }
        .Runs((invocation, ct) => RunSchedule.PutAsync(invocation, nameof(RotateCertificates), invocation.Get(environment), invocation.Get(every)!, "certificates schedule", invocation.Get(queue), ct));
    }

    private static string Word(FoundCertificate found) => found.Unfinished ? "UNFINISHED" : found.Due ? "due" : found.NotAfter is null ? "MISSING" : "ok";

    private static string Owner(FoundOwner owner) => owner switch
    {
        FoundOwner.Ours => "ours",
        FoundOwner.CertManager => "cert-manager's",
        FoundOwner.Vault => "Vault's",
        _ => "somebody else's",
    };

    private static string Until(FoundCertificate found, DateTimeOffset now) => found.NotAfter is { } end
        ? string.Create(CultureInfo.InvariantCulture, $"{(end - now).TotalDays:0.#} days left, until {end:yyyy-MM-dd HH:mm}Z")
        : "there is none that can be read";
}
