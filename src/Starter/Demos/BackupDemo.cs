using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Guard.Configuration;
using PlatformOps.Platform.Backups;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;

namespace PlatformOps.Starter.Demos;

/// <summary>What came of it.</summary>
/// <param name="Outcome"><c>restored</c>, or how the restore ended instead.</param>
/// <param name="Sets">Sets that were made.</param>
/// <param name="Proved">How many of them a restore into quarantine has proved.</param>
/// <param name="MeasuredRpoSeconds">By store: the age of the newest data that a restore of its newest set brought back.</param>
/// <param name="MeasuredRtoSeconds">By store: what that restore took. <c>NAME-outOfService</c>: for how long clients were not let in while the damaged data was replaced.</param>
/// <param name="RowsMissingOlderThanRpo">Rows that clients were told are written before the damage, and that the restored database does not have.</param>
/// <param name="Measured">How long it took; left out unless an amount of data was asked for.</param>
internal sealed record BackupDemoResult(
    string Outcome, int Sets, int Proved, IReadOnlyDictionary<string, double> MeasuredRpoSeconds, IReadOnlyDictionary<string, double> MeasuredRtoSeconds, int RowsMissingOlderThanRpo,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] BackupTimes? Measured = null);

/// <summary>The whole story of a backup, live: made under load, proved, needed, and restored while nothing else is lost.</summary>
/// <param name="megabytes">So much data is backed up, proved and measured, beside pgBackRest alone, and nothing is deleted; null: the story.</param>
internal sealed class BackupDemo(Terminal terminal, bool verbose, int? megabytes = null)
{
    private const string Store = "postgresql";

    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly long began = Clock.GetTimestamp();
    private readonly Dictionary<string, double> rpo = [], rto = [];
    private int sets, proved;

    public async Task<BackupDemoResult> RunAsync((string First, string Second) regions, ProvisioningSources sources, CancellationToken ct)
    {
        if (!File.Exists(new BackupSettings().Program))
            throw new CommandFailure(ExitCode.Failure, "pgBackRest is not installed here.", "The demo makes real backups of a real server.", "Debian: apt-get install pgbackrest");
        Say("Starting two PostgreSQL servers with guards and pgBackRest, an S3 server, Vault, the witness, the bootstrap server and workers ...");
        await using var world = await FailoverWorld.StartAsync(regions, sources, synchronous: false, verbose, Say, ct, backedUp: true);
        if (megabytes is { } amount)
            return await MeasureAsync(world, amount, ct);
        await using var clients = new Clients(world.ClientAddresses, writers: 4, Clock);
        await FailoverWorld.UntilAsync("clients write", () => Task.FromResult(clients.Acknowledged > 500), ct);
        Say($"Clients write: {clients.Acknowledged} rows are acknowledged so far. A backup is made meanwhile.");
        await BackUpAsync(world, ct);
        await VerifyAsync(world, ct);

        await clients.StopAsync();
        var moment = await SqlAsync(world, "SELECT clock_timestamp()", ct);
        await SqlAsync(world, "DELETE FROM ledger", ct);
        await SqlAsync(world, "DELETE FROM probes", ct);
        Say($"Somebody deletes everything: {clients.Acknowledged} rows that clients were told are written are gone, on the standby too.");
        var report = await RestoreAsync(world, new((DateTime)moment, TimeSpan.Zero), ct);
        var missing = await clients.LostAsync(world.Pair[world.Primary].Clients.Listen, ct);
        Say(report.Summary);
        Say($"Of {clients.Acknowledged} rows that were acknowledged before the damage {missing} are missing.");
        if (report.OutOfService is { } closed)
            rto[$"{Store}-outOfService"] = Math.Round(closed.TotalSeconds, 3);
        await VerifyAsync(world, ct);
        return new(JsonNamingPolicy.CamelCase.ConvertName(report.Outcome.ToString()), sets, proved, rpo, rto, missing);
    }

    /// <summary>The bare tools have the same data, machine, bucket and configuration.</summary>
    private async Task<BackupDemoResult> MeasureAsync(FailoverWorld world, int amount, CancellationToken ct)
    {
        Say($"{amount} MB of data are written.");
        await FillAsync(statement => SqlAsync(world, statement, ct), amount);
        var bytes = (long)await SqlAsync(world, "SELECT sum(pg_database_size(oid))::bigint FROM pg_database", ct);
        // Not measured: whoever comes first writes to disk what was just written, and waits until its log is archived.
        var set = await BackUpAsync(world, ct, BackupMethod.Full);
        var bare = new BarePgBackRest(world.Pair[world.Standby]);
        await VerifyAsync(world, ct);
        await RestoreByHandAsync();
        var byHand = new BarePgBackRest(world.Pair[world.Primary]);
        await byHand.BackUpAsync(ct);
        (sets, proved) = (0, 0);
        Say("Backups by hand (pgbackrest backup) and by the runbook, in both orders.");
        // What the machine does besides when it is the turn of one of them is not on one side only.
        var bareBackup = await byHand.BackUpAsync(ct);
        var backup = await TimedAsync(() => BackUpAsync(world, ct, BackupMethod.Full));
        backup += await TimedAsync(async () => set = await BackUpAsync(world, ct, BackupMethod.Full));
        bareBackup += await byHand.BackUpAsync(ct);
        Say("Restores by hand (pgbackrest restore, and a server that is started on it) and of verifications, in both orders.");
        var bareRestore = await RestoreByHandAsync();
        var verify = await TimedAsync(() => VerifyAsync(world, ct, set.Id));
        var restore = rto[Store];
        verify += await TimedAsync(() => VerifyAsync(world, ct, set.Id));
        restore += rto[Store];
        bareRestore += await RestoreByHandAsync();
        return new("measured", sets, proved, rpo, rto, 0, new(bytes, Mean(backup), Mean(bareBackup), Mean(restore), Mean(bareRestore), Mean(verify)));

        // Of the same set: an older one has more of the log to read.
        Task<double> RestoreByHandAsync() => bare.RestoreAsync(set.Label!, Path.Combine(world.Folder, "bare"), ct);

        static double Mean(double seconds) => Math.Round(seconds / 2, 3);
    }

    /// <summary>Writes so much data that cannot be compressed.</summary>
    internal static async Task FillAsync(Func<string, Task> sql, int megabytes)
    {
        // Large objects: whoever may connect may make them. A megabyte each.
        for (var written = 0; written < megabytes; written++)
            await sql("SELECT lo_from_bytea(0, (SELECT string_agg(sha512((random()::text || i)::bytea), '') FROM generate_series(1, 16384) AS i))");
    }

    private static async Task<double> TimedAsync(Func<Task> work)
    {
        var began = Clock.GetTimestamp();
        await work();
        return Clock.GetElapsedTime(began).TotalSeconds;
    }

    private async Task<BackupSet> BackUpAsync(FailoverWorld world, CancellationToken ct, BackupMethod? method = null)
    {
        var report = await world.Client.ExecuteWorkflowAsync(
            (BackUpDatabase runbook) => runbook.RunAsync(new BackUpInput { Environment = FailoverWorld.Environment, Store = Store, Method = method }), Options(BackUpStore.WorkflowId(FailoverWorld.Environment, Store), ct));
        sets++;
        Say(report.Summary);
        return report.Set;
    }

    private async Task VerifyAsync(FailoverWorld world, CancellationToken ct, string? set = null)
    {
        var report = await world.Client.ExecuteWorkflowAsync(
            (VerifyBackup runbook) => runbook.RunAsync(new VerifyBackupInput { Environment = FailoverWorld.Environment, Store = Store, Set = set }), Options(VerifyBackup.WorkflowId(FailoverWorld.Environment, Store), ct));
        proved += report.Outcome is VerifyOutcome.Proved or VerifyOutcome.ObjectiveMissed ? 1 : 0;
        foreach (var objective in report.Objectives.Where(objective => objective.Measured is not null))
            (objective.Objective == "RPO" ? rpo : rto)[Store] = Math.Round(objective.Measured!.Value.TotalSeconds, 3);
        Say(report.Summary);
    }

    private async Task<RestoreReport> RestoreAsync(FailoverWorld world, DateTimeOffset moment, CancellationToken ct)
    {
        var input = new RestoreDatabaseInput { Environment = FailoverWorld.Environment, Store = Store, To = moment.ToString("O", CultureInfo.InvariantCulture), RequestedBy = "ana" };
        var run = await world.Client.StartWorkflowAsync((RestoreDatabase runbook) => runbook.RunAsync(input), Options(RestoreDatabase.WorkflowId(FailoverWorld.Environment, Store), ct));
        var ended = run.GetResultAsync<RestoreReport>(rpcOptions: new() { CancellationToken = ct });
        var said = new Dictionary<string, string>();
        for (var approved = false; !ended.IsCompleted;)
        {
            var status = await run.QueryAsync<RunbookStatus>("status", []);
            foreach (var step in status.Steps.Where(step => step.State is not (StepState.Pending or StepState.Running)))
            {
                var line = $"{step.Name}: {JsonNamingPolicy.CamelCase.ConvertName(step.State.ToString())}. {step.Detail}";
                if (said.GetValueOrDefault(step.Name) != line)
                    Say($"  {said[step.Name] = line}");
            }

            if (status.Phase == RunbookPhase.Parked)
                throw new CommandFailure(ExitCode.RunFailed, "The restore has parked.", status.Summary, "Run it again with --verbose and report what it prints.");
            if (status.Phase == RunbookPhase.AwaitingApproval && !approved)
            {
                await run.ExecuteUpdateAsync<ControlResult>("approve", [new ApproveInput(status.PlanHash, "ben")]);
                approved = true;
                Say("  ben has read the plan and approves it.");
            }

            await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(100), Clock, ct));
        }

        var report = await ended;
        sets += report.BackupBefore is null ? 0 : 1;
        return report;
    }

    private static async Task<object> SqlAsync(FailoverWorld world, string statement, CancellationToken ct)
    {
        var address = world.Pair[world.Primary].Clients.Listen.Split(':');
        await using var connection = new NpgsqlConnection($"Host={address[0]};Port={address[1]};Username=app;Password=app;Database=postgres;SSL Mode=Disable;Pooling=false");
        await connection.OpenAsync(ct);
        await using var command = new NpgsqlCommand(statement, connection);
        return (await command.ExecuteScalarAsync(ct))!;
    }

    private static WorkflowOptions Options(string id, CancellationToken ct) => new(id, TaskQueues.Default) { Rpc = new() { CancellationToken = ct } };

    private void Say(string text) => terminal.Progress(string.Create(CultureInfo.InvariantCulture, $"{Clock.GetElapsedTime(began).TotalSeconds,7:0.00} s  {text}"));
}
