using System.CommandLine;
using System.Globalization;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Catalog;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Runs;
using PlatformOps.Starter.Specifications;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Starter.Commands;

/// <summary>Backups: make, prove, list, and let go.</summary>
internal static class BackupCommand
{
    public static Command Create() => new CliCommand("backup", "Make backups, and prove that they can be restored.",
        new Example("backup run production postgresql", "make what is due"),
        new Example("backup verify production postgresql", "restore a set where nobody reaches it, and look what is in it"),
        new Example("backup list production postgresql", "every set, and whether it is proved"),
        new Example("backup retention production postgresql --plan", "what would go, and why the others stay"),
        new Example("backup hold production postgresql SET --reason \"audit of 2026\"", "it stays until somebody lets it go"))
    {
        RunCommand(), VerifyCommand(), ListCommand(), RetentionCommand(), HoldCommand(), ReleaseCommand(), EtcdSnapshotCommand.Create(),
    };

    private static CliCommand RunCommand()
    {
        var (environment, store, region, queue) = Common();
        var method = new Option<BackupMethod?>("--method") { Description = "What is copied: full, differential or incremental. [default: what is due by the catalog]", HelpName = "METHOD" };
        return new CliCommand("run", "Make a backup, and compare catalog, repository and log. One at a time for a store: a second one joins the first.",
            new Example("backup run production postgresql", "what is due"),
            new Example("backup run production postgresql --method full", "everything, for example after a gap in the log"))
        {
            environment, store, region, method, queue,
        }
        .Runs((invocation, ct) => FollowAsync(
            invocation, Runbook(invocation, invocation.Get(store)), invocation.Get(environment), invocation.Get(queue), BackUpStore.WorkflowId(invocation.Get(environment), invocation.Get(store), invocation.Get(region)),
            new BackUpInput { Environment = invocation.Get(environment), Store = invocation.Get(store), Region = invocation.Get(region), Method = invocation.Get(method) }, ct));
    }

    private static CliCommand VerifyCommand()
    {
        var (environment, store, region, queue) = Common();
        var set = new Option<string>("--set") { Description = "The id of the set. [default: the newest that was never verified, then the one with the oldest proof]", HelpName = "ID" };
        return new CliCommand("verify", "Restore a set where nobody reaches it, read all of it, and measure what a restore loses and takes.",
            new Example("backup verify production postgresql", "the set that is due"),
            new Example("backup verify production postgresql --set backup-production-postgresql-0f3c9a12", "one, due or not"))
        {
            environment, store, region, set, queue,
        }
        .Runs((invocation, ct) => FollowAsync(
            invocation, nameof(VerifyBackup), invocation.Get(environment), invocation.Get(queue), VerifyBackup.WorkflowId(invocation.Get(environment), invocation.Get(store), invocation.Get(region)),
            new VerifyBackupInput { Environment = invocation.Get(environment), Store = invocation.Get(store), Region = invocation.Get(region), Set = invocation.Get(set) }, ct));
    }

    private static CliCommand ListCommand()
    {
        var (environment, store, region, queue) = Common();
        return new CliCommand("list", "Show every set of a store, how it stands and what was measured. Changes nothing.", new Example("backup list production postgresql", "the newest first"))
        {
            environment, store, region, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var (run, outcome) = await AskAsync(
                invocation, nameof(ReadBackups), name, invocation.Get(queue), new ReadBackupsInput { Environment = name, Store = invocation.Get(store), Region = invocation.Get(region) }, ct);
            if (outcome.Report?.As<ReadBackupsReport>() is not { } report)
                throw Unanswered(run, outcome, $"The backups of {invocation.Get(store)} cannot be listed.");
            foreach (var found in report.Sets)
                invocation.Terminal.Line($"{found.Standing.ToString().ToLowerInvariant(),-9} {found.Set}  {Words(found)}");
            if (report.Count > report.Sets.Count)
                invocation.Terminal.Line($"... and {report.Count - report.Sets.Count} older ones.");
            invocation.Terminal.Line(report.Summary);
            invocation.Terminal.Result(new { environment = name, workflowId = run.Handle.Id, report });
            return outcome.ExitCode;
        });
    }

    private static CliCommand RetentionCommand()
    {
        var (environment, store, region, queue) = Common();
        var plan = new Option<bool>("--plan") { Description = "Only say what would go, and why each other one stays." };
        return new CliCommand("retention", "Mark the sets that are to go, remove those whose grace has ended, and say why each other one stays.",
            new Example("backup retention production postgresql --plan", "what would go"),
            new Example("backup retention production postgresql", "mark, and remove what was marked a grace ago"))
        {
            environment, store, region, plan, queue,
        }
        .Runs(async (invocation, ct) =>
        {
            var name = invocation.Get(environment);
            var input = new ApplyRetentionInput { Environment = name, Store = invocation.Get(store), Region = invocation.Get(region), Mode = invocation.Get(plan) ? RunbookMode.Plan : RunbookMode.Apply };
            if (!invocation.Get(plan))
                return await FollowAsync(invocation, nameof(ApplyRetention), name, invocation.Get(queue), ApplyRetention.WorkflowId(name, invocation.Get(store), invocation.Get(region)), input, ct);
            var (run, outcome) = await AskAsync(invocation, nameof(ApplyRetention), name, invocation.Get(queue), input, ct);
            if (outcome.Report?.As<ApplyRetentionReport>() is not { } report)
                throw Unanswered(run, outcome, $"Nobody knows what would go of {invocation.Get(store)}.");
            foreach (var verdict in report.Verdicts)
                invocation.Terminal.Line($"{verdict.Action.ToString().ToLowerInvariant(),-6} {verdict.Set}: {verdict.Why}");
            invocation.Terminal.Line(report.Summary);
            invocation.Terminal.Result(new { environment = name, workflowId = run.Handle.Id, report });
            return outcome.ExitCode;
        });
    }

    private static CliCommand HoldCommand()
    {
        var (environment, store, region, queue) = Common();
        var (set, by, reason) = (Set(), RunArguments.By(), RunArguments.Reason(required: true));
        var length = new Option<string>("--for") { Description = "For how long, for example 90d. [default: until somebody lets it go]", HelpName = "DURATION" };
        return new CliCommand("hold", "Have a set stay, whatever retention says. One that is being removed already is refused.",
            new Example("backup hold production postgresql backup-production-postgresql-0f3c9a12 --reason \"audit of 2026\" --for 365d", "a year"))
        {
            environment, store, set, region, reason, length, by, queue,
        }
        .Runs((invocation, ct) => HoldAsync(
            invocation, invocation.Get(environment), invocation.Get(queue),
            new() { Environment = invocation.Get(environment), Store = invocation.Get(store), Region = invocation.Get(region), Set = invocation.Get(set), By = invocation.Get(by) ?? RunCommands.Caller(), Reason = invocation.Get(reason), For = invocation.Get(length) }, ct));
    }

    private static CliCommand ReleaseCommand()
    {
        var (environment, store, region, queue) = Common();
        var (set, by) = (Set(), RunArguments.By());
        return new CliCommand("release", "Let a set go that somebody has held: retention decides about it again.",
            new Example("backup release production postgresql backup-production-postgresql-0f3c9a12", "the audit is over"))
        {
            environment, store, set, region, by, queue,
        }
        .Runs((invocation, ct) => HoldAsync(
            invocation, invocation.Get(environment), invocation.Get(queue),
            new() { Environment = invocation.Get(environment), Store = invocation.Get(store), Region = invocation.Get(region), Set = invocation.Get(set), By = invocation.Get(by) ?? RunCommands.Caller(), Release = true }, ct));
    }

    private static Argument<string> Set() => new("set") { Description = "The id of the set, as `backup list` shows it." };

    private static async Task<ExitCode> HoldAsync(Invocation invocation, string environment, string? queue, HoldBackupInput input, CancellationToken ct)
    {
        var (run, outcome) = await AskAsync(invocation, nameof(HoldBackup), environment, queue, input, ct);
        RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
        return outcome.ExitCode;
    }

    /// <summary>What backs the store up, by what the catalog says that it is.</summary>
    private static string Runbook(Invocation invocation, string store)
    {
        var stores = CatalogReader.Read(SourceFolder.Read(invocation.Locations.Catalog, "catalog").Texts).Catalog?.Components.SelectMany(component => component.Backups).ToList() ?? [];
        return stores.Find(known => known.Name == store) is { } found && BackUpStore.RunbookOf(found.Store) is { } runbook
            ? runbook
            : throw new CommandFailure(
                ExitCode.NotFound, $"The catalog {invocation.Locations.Catalog} has no store \"{store}\" that can be backed up.", $"It has {string.Join(", ", stores.Select(known => known.Name).DefaultIfEmpty("none"))}.",
                "Declare it under backups of its component: docs/catalog.md.");
    }

    private static (Argument<string> Environment, Argument<string> Store, Option<string> Region, Option<string> Queue) Common() => (
        RunArguments.Environment(), new("store") { Description = "The store's name in the catalog, for example postgresql." },
        new("--region") { Description = "The region whose store is meant, where each region has its own.", HelpName = "NAME" }, RunArguments.TaskQueue());

    private static async Task<ExitCode> FollowAsync(Invocation invocation, string type, string environment, string? queue, string workflowId, object input, CancellationToken ct)
    {
        var taskQueue = invocation.TaskQueueOr(queue);
        var run = await RunbookRun.StartAsync(await invocation.ConnectForAsync(environment, ct), type, workflowId, environment, input, taskQueue, ct);
        if (run.Joined && (await run.Handle.DescribeAsync(new() { Rpc = new() { CancellationToken = ct } })).WorkflowType == nameof(LockStore))
            throw new CommandFailure(ExitCode.Refused, "No backup is made now: the store is being restored.", $"{(await run.QueryAsync<RunbookStatus>("status", ct)).Summary}", $"platformops status {run.Named}");
        var outcome = await run.FollowAsync(invocation, taskQueue, ct);
        RunResult.Write(invocation.Terminal, run, outcome, outcome.Report?.Json);
        return outcome.ExitCode;
    }

    /// <summary>A run with an id of its own: it can look while another one works.</summary>
    private static async Task<(RunbookRun Run, RunOutcome Outcome)> AskAsync(Invocation invocation, string type, string environment, string? queue, object input, CancellationToken ct)
    {
        var taskQueue = invocation.TaskQueueOr(queue);
        var run = await RunbookRun.StartAsync(await invocation.ConnectForAsync(environment, ct), type, $"plan/backup/{environment}/{Guid.NewGuid():N}", environment, input, taskQueue, ct);
        return (run, await new RunSession(invocation, run, taskQueue).AnswerAsync(ct));
    }

    private static CommandFailure Unanswered(RunbookRun run, RunOutcome outcome, string what) => new(ExitCode.RunFailed, what, outcome.Summary, $"platformops status {run.Named}");

    private static string Words(FoundBackup found) => string.Create(
        CultureInfo.InvariantCulture,
        $"{found.Method.ToString().ToLowerInvariant()} of {found.StartedAt:u}{(found.Label is { } label ? $", {label}" : "")}{(found.Bytes is { } bytes ? $", {bytes / 1_000_000.0:0.0} MB" : "")}"
        + $"{(found.MeasuredRpo is { } rpo ? $", RPO {rpo.TotalSeconds:0.0} s" : "")}{(found.MeasuredRto is { } rto ? $", RTO {rto.TotalSeconds:0.0} s" : "")}{(found.Etcd is { } etcd ? $", {etcd}" : "")}{Places(found.Locations ?? [])}{(found.Why is { } why ? $": {why}" : "")}");

    private static string Places(IReadOnlyList<BackupLocation> places) =>
        $"{(places is [_, var copy, ..] ? $", copied to {copy.Region}" : "")}{(places.Count > 0 && places.All(place => place.LockedUntil is not null) ? string.Create(CultureInfo.InvariantCulture, $", locked until {places.Min(place => place.LockedUntil):yyyy-MM-dd}") : "")}";
}
