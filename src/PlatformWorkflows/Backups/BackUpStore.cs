using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>The story of every runbook that makes a set: enter it into the catalog, make it, write down what became of it, look whether everything else is still there.</summary>
public abstract class BackUpStore : BackupRunbook
{
    private const string Begins = "begin", Makes = "make", Records = "record", Checks = "check";

    /// <summary>With the pauses of <see cref="BackupRunbook.Long"/> between them: four minutes, and as long as etcd takes not to answer.</summary>
    private const int EtcdAttempts = 10;

    private readonly StoreKind kind;
    private bool entered;

    private protected BackUpStore(StoreKind kind)
        : base(
            "Looking what is due.", (Begins, "The set is entered into the backup catalog."), (Makes, "The set is made, where the store runs."),
            (Records, "The catalog says what became of it."), (Checks, "Catalog, repository and log are compared.")) =>
        this.kind = kind;

    /// <summary>Workflow id of the run that makes a set of a store, and so the lock of it: however runs were started, one at a time makes sets. Ids of schedules begin with it.</summary>
    public static string WorkflowId(string environment, string store, string? region = null) => $"backup/{environment}/{new StoreReference(environment, store, region)}";

    /// <summary>The workflow type that backs such stores up; null: there is none.</summary>
    public static string? RunbookOf(StoreKind kind) => kind switch
    {
        StoreKind.Postgresql => nameof(BackUpDatabase),
        StoreKind.Elasticsearch => nameof(BackUpSearch),
        StoreKind.KubernetesState => nameof(BackUpClusterState),
        StoreKind.Vault => nameof(BackUpVault),
        _ => null,
    };

    private protected Task<BackUpReport> BackUpAsync(Input<BackUpInput>? input) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("backup", given.Environment, given.Store, given.Region, given.OperationId, given.Within);
        Identify();
        var turn = WorkflowId(Request.Store.Environment, Request.Store.Store, Request.Store.Region);
        // Runs of before, under other ids, made sets themselves.
        return Workflow.Info.WorkflowId == turn || !Workflow.Patched("one-backup-at-a-time") ? await MakeSetAsync(given.Method) : await TakeTurnAsync(turn, given.Method);
    });

    private async Task<BackUpReport> MakeSetAsync(BackupMethod? method)
    {
        Begin(Begins);
        var begun = await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.BeginBackupAsync(new(Request.Store, Request.OperationId, kind, method)), Short($"Enter a backup of {Request.Store}"));
        entered = true;
        EnterPhase(RunbookPhase.Acting, $"A {InWords(begun.Method)} backup of {Request.Store} is made. {begun.Why}");
        var made = await MakeAsync(begun);
        Begin(Records);
        var set = (await RecordAsync(made, null)).Set;
        Begin(Checks);
        var found = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.CheckRepositoryAsync(Request.Store), Short($"Compare catalog and repository of {Request.Store}"));
        Finish(Checks, found.Findings.Count == 0 ? "Everything is where it has to be." : string.Join(" ", found.Findings), found.Findings.Count == 0 ? StepState.Done : StepState.Failed);
        return End(set, found.Findings);
    }

    /// <summary>However this was started, by a schedule for example: the set is made by the one run that has the store's id for it. Whoever comes second waits for that, as long as its own time lasts.</summary>
    private async Task<BackUpReport> TakeTurnAsync(string turn, BackupMethod? method)
    {
        var until = StartedAt + Request.Within;
        Steps.RemoveAll(step => step.Name != Makes);
        Begin(Makes, $"Its run is {turn}.");
        EnterPhase(RunbookPhase.Acting, $"A backup of {Request.Store} is made by {turn}: look there for where it stands.");
        entered = true;
        var report = await MakeByAsync(
            kind,
            () => new()
            {
                Environment = Request.Store.Environment,
                Store = Request.Store.Store,
                Region = Request.Store.Region,
                Method = method,
                OperationId = Request.OperationId,
                Within = $"{Math.Max(1, (until - Now).TotalSeconds):0}s",
            },
            $"Back up {Request.Store}",
            async () =>
            {
                if (Now >= until)
                    throw FailureTypes.Impossible($"No set of {Request.Store} was made: {turn} went on for all of the {InWords(Request.Within)} that this run has. Look what it does (platformops status {Request.Store.Environment} --run {turn}); when it is a backup that stands still, cancel it (temporal workflow cancel --workflow-id {turn}), then start a backup again.");
                EnterPhase(RunbookPhase.Acting, $"{turn} works on {Request.Store} already; waiting for it until {until:u}.");
                WaitingFor = new($"{turn} to end", "nobody", until);
                await Workflow.DelayAsync(until - Now < TurnPause ? until - Now : TurnPause);
                WaitingFor = null;
            },
            Workflow.CancellationToken);
        Finish(Makes, report.Summary, report.Outcome == BackupOutcome.Complete ? StepState.Done : StepState.Failed);
        Tell(report.Outcome, report.Summary);
        return report;
    }

    /// <summary>What fails is written down too: a set that nobody closes would look as if it were still being made.</summary>
    private async Task<MadeBackup> MakeAsync(BegunBackup begun)
    {
        var method = begun.Method;
        Begin(Makes);
        try
        {
            // Until then etcd was asked once, by whoever made the set.
            if (begun.Etcd && Workflow.Patched("etcd-is-asked-again"))
                await SnapshotEtcdAsync();
            return await Workflow.ExecuteActivityAsync(
                (IBackupActivities activities) => activities.MakeBackupAsync(new(Request.Store, Request.OperationId, method)), Long($"Make a {InWords(method)} backup of {Request.Store}"));
        }
        catch (ActivityFailureException failure)
        {
            var why = TemporalException.IsCanceledException(failure) ? "It was cancelled." : FailureReason.Of(failure);
            Finish(Makes, why, StepState.Failed);
            await RecordAsync(null, why);
            throw;
        }
    }

    /// <summary>An etcd that is away for a moment costs that moment, and not the set. When it gave nothing however often it was asked, whoever makes the set asks once more, and then makes it without.</summary>
    private async Task SnapshotEtcdAsync()
    {
        var options = Long($"Have a snapshot of etcd in the backup of {Request.Store}");
        options.RetryPolicy!.MaximumAttempts = EtcdAttempts;
        Begin(Makes, "A snapshot of etcd is taken.");
        try
        {
            await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.SnapshotEtcdAsync(new(Request.Store, Request.OperationId)), options);
            Begin(Makes, "The snapshot of etcd is in the set; everything else is made.");
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            Begin(Makes, $"Etcd gave no snapshot, and is asked once more: {FailureReason.Of(failure)}");
        }
    }

    private Task<RecordedBackup> RecordAsync(MadeBackup? made, string? failure)
    {
        var options = Short($"Enter what became of the backup of {Request.Store}");
        // Also of a run that was cancelled.
        options.CancellationToken = CancellationToken.None;
        return Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.RecordBackupAsync(new(Request.Store, Request.OperationId, made, failure)), options);
    }

    private BackUpReport End(BackupSet set, IReadOnlyList<string> findings)
    {
        var summary = set.Outcome == BackupOutcome.Complete
            ? $"{Request.Store} is backed up: {set.Label}, {set.Bytes} bytes in {InWords((set.FinishedAt ?? Now) - set.StartedAt)}.{(findings.Count == 0 ? "" : $" {findings.Count} things are wrong in the repository: {string.Join(" ", findings)}")}"
            : $"The backup of {Request.Store} is not whole, and does not count: {set.Reason} The last good one is that of before.";
        Tell(set.Outcome, summary);
        return new()
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            OperationId = Request.OperationId,
            Outcome = set.Outcome,
            Summary = summary,
            Set = set,
            Findings = findings,
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }

    private void Tell(BackupOutcome outcome, string summary)
    {
        EnterPhase(outcome == BackupOutcome.Complete ? RunbookPhase.Completed : RunbookPhase.Failed, summary);
        Say(outcome);
    }

    private protected override string IfStoppedNow() => Phase switch
    {
        RunbookPhase.Completed => "Nothing is half-done.",
        _ when !entered => "Nothing has been begun.",
        _ => "The store may go on making the set; the next run waits for it, and the catalog shows it as running until then. Sets of before are as they were.",
    };
}

/// <summary>Backs up the objects of a Kubernetes cluster. See <c>docs/runbooks/backup.md</c>.</summary>
[Workflow]
public sealed class BackUpClusterState() : BackUpStore(StoreKind.KubernetesState)
{
    /// <summary>The runbook.</summary>
    [WorkflowRun]
    public Task<BackUpReport> RunAsync(Input<BackUpInput>? input = null) => BackUpAsync(input);
}

/// <summary>Backs up an Elasticsearch. See <c>docs/runbooks/backup.md</c>.</summary>
[Workflow]
public sealed class BackUpSearch() : BackUpStore(StoreKind.Elasticsearch)
{
    /// <summary>The runbook.</summary>
    [WorkflowRun]
    public Task<BackUpReport> RunAsync(Input<BackUpInput>? input = null) => BackUpAsync(input);
}

/// <summary>Backs up a Vault. See <c>docs/runbooks/backup.md</c>.</summary>
[Workflow]
public sealed class BackUpVault() : BackUpStore(StoreKind.Vault)
{
    /// <summary>The runbook.</summary>
    [WorkflowRun]
    public Task<BackUpReport> RunAsync(Input<BackUpInput>? input = null) => BackUpAsync(input);
}

/// <summary>Backs a database up. See <c>docs/runbooks/backup.md</c>.</summary>
[Workflow]
public sealed class BackUpDatabase() : BackUpStore(StoreKind.Postgresql)
{
    /// <summary>The runbook.</summary>
    [WorkflowRun]
    public Task<BackUpReport> RunAsync(Input<BackUpInput>? input = null) => BackUpAsync(input);
}
