using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>ReadBackups</c> (any workflow id).</summary>
public sealed record ReadBackupsInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    public string? Store { get; init; }

    /// <summary>The region whose store is meant, where each region has its own.</summary>
    public string? Region { get; init; }
}

/// <summary>The result of <c>ReadBackups</c>.</summary>
public sealed record ReadBackupsReport
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    /// <summary><c>read</c>.</summary>
    public string Outcome { get; init; } = "read";

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>The newest first, at most 200.</summary>
    public required IReadOnlyList<FoundBackup> Sets { get; init; }

    /// <summary>How many there are.</summary>
    public required int Count { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <summary>Reads the backup catalog of a store. Changes nothing.</summary>
[Workflow]
public sealed class ReadBackups : BackupRunbook
{
    private const string Reads = "read";

    /// <summary>Nothing is done yet.</summary>
    public ReadBackups()
        : base("Reading the backup catalog.", (Reads, "Every set, and how it stands."))
    {
    }

    /// <summary>The runbook: read.</summary>
    [WorkflowRun]
    public Task<ReadBackupsReport> RunAsync(Input<ReadBackupsInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("read", given.Environment, given.Store, given.Region, operationId: null);
        Identify();
        Begin(Reads);
        var found = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.ReadBackupsAsync(Request.Store), Short($"Read the backup catalog of {Request.Store}"));
        Finish(Reads, "Done.");
        int Of(BackupStanding standing) => found.Sets.Count(set => set.Standing == standing);
        EnterPhase(RunbookPhase.Completed, $"{found.Count} sets of {Request.Store}: {Of(BackupStanding.Verified)} verified, {Of(BackupStanding.Unproven)} unproven, {Of(BackupStanding.Damaged)} damaged.");
        return new ReadBackupsReport
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            Summary = Summary,
            Sets = found.Sets,
            Count = found.Count,
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    });

    private protected override string IfStoppedNow() => "Nothing has been changed.";
}
