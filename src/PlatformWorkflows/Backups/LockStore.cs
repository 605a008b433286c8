using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>LockStore</c>, which restores start, and nobody else.</summary>
public sealed record LockStoreInput
{
    public string? Environment { get; init; }

    public string? Store { get; init; }

    public string? Region { get; init; }

    public string? OperationId { get; init; }

    /// <summary>Workflow id of the restore.</summary>
    public string? By { get; init; }
}

/// <summary>Has the id under which sets of a store are made while a restore changes the store, so that none is made of what is half restored. It ends with the restore that started it, whatever becomes of that,
/// and with nothing else.</summary>
[Workflow]
public sealed class LockStore : BackupRunbook
{
    private const string Locks = "lock";

    private string? by;

    /// <summary>Nothing is locked yet.</summary>
    public LockStore()
        : base("A restore changes the store.", (Locks, "No set of the store is made."))
    {
    }

    /// <summary>Until the restore ends.</summary>
    [WorkflowRun]
    public Task RunAsync(Input<LockStoreInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("lock", given.Environment, given.Store, given.Region, given.OperationId);
        by = given.By;
        Identify();
        Begin(Locks);
        EnterPhase(RunbookPhase.Acting, $"{by} changes {Request.Store}: no set of it is made until that ends. Look there; this ends with it.");
        return await Workflow.WaitConditionAsync(() => false, Timeout.InfiniteTimeSpan, CancellationToken.None);
    });

    private protected override string IfStoppedNow() => $"A set may be made of what {by ?? "a restore"} has half restored.";
}
