using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>The story of every runbook that makes a set: enter it into the catalog, make it, write down what became of it, look whether everything else is still there.</summary>
public abstract class BackUpStore : BackupRunbook
{
    private const string Begins = "begin", Makes = "make", Records = "record", Checks = "check";

    private readonly StoreKind kind;
    private bool entered;

    private protected BackUpStore(StoreKind kind)
        : base(
            "Looking what is due.", (Begins, "The set is entered into the backup catalog."), (Makes, "The set is made, where the store runs."),
            (Records, "The catalog says what became of it."), (Checks, "Catalog, repository and log are compared.")) =>
        this.kind = kind;

    /// <summary>Workflow id of the run of a store: one at a time. Ids of schedules begin with it.</summary>
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
        Begin(Begins);
        var begun = await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.BeginBackupAsync(new(Request.Store, Request.OperationId, kind, given.Method)), Short($"Enter a backup of {Request.Store}"));
        entered = true;
        EnterPhase(RunbookPhase.Acting, $"A {InWords(begun.Method)} backup of {Request.Store} is made. {begun.Why}");
        var made = await MakeAsync(begun.Method);
        Begin(Records);
        var set = (await RecordAsync(made, null)).Set;
        Begin(Checks);
        var found = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.CheckRepositoryAsync(Request.Store), Short($"Compare catalog and repository of {Request.Store}"));
        Finish(Checks, found.Findings.Count == 0 ? "Everything is where it has to be." : string.Join(" ", found.Findings), found.Findings.Count == 0 ? StepState.Done : StepState.Failed);
        return End(set, found.Findings);
    });

    /// <summary>What fails is written down too: a set that nobody closes would look as if it were still being made.</summary>
    private async Task<MadeBackup> MakeAsync(BackupMethod method)
    {
        Begin(Makes);
        try
        {
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
        EnterPhase(set.Outcome == BackupOutcome.Complete ? RunbookPhase.Completed : RunbookPhase.Failed, summary);
        Say(set.Outcome);
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
