using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>HoldBackup</c> (any workflow id).</summary>
public sealed record HoldBackupInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    public string? Store { get; init; }

    /// <summary>The region whose store is meant, where each region has its own.</summary>
    public string? Region { get; init; }

    /// <summary>Required. The id of the set.</summary>
    public string? Set { get; init; }

    /// <summary>Required. Who wants it to stay, or lets it go.</summary>
    public string? By { get; init; }

    /// <summary>Why it is to stay. Required, unless it is let go.</summary>
    public string? Reason { get; init; }

    /// <summary>For how long, with its unit. Default: until somebody lets it go; at most 3650d.</summary>
    public string? For { get; init; }

    /// <summary>It is let go: retention decides about it again.</summary>
    public bool Release { get; init; }
}

public enum HoldOutcome
{
    /// <summary>It stays.</summary>
    Held,

    /// <summary>Nobody holds it any more.</summary>
    Released,
}

/// <summary>The result of <c>HoldBackup</c>.</summary>
public sealed record HoldBackupReport
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    public required string OperationId { get; init; }

    public required HoldOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    public required string Set { get; init; }

    /// <summary>Null: nobody holds it.</summary>
    public BackupHold? Hold { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <summary>Has a set stay that retention would remove, or lets it go. See <c>docs/runbooks/backup.md</c>.</summary>
[Workflow]
public sealed class HoldBackup : BackupRunbook
{
    private const string Holds = "hold";

    /// <summary>Nothing is done yet.</summary>
    public HoldBackup()
        : base("Reading what is asked for.", (Holds, "The backup catalog says who wants the set to stay."))
    {
    }

    /// <summary>The runbook: write it down.</summary>
    [WorkflowRun]
    public Task<HoldBackupReport> RunAsync(Input<HoldBackupInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("hold", given.Environment, given.Store, given.Region, operationId: null);
        ControlFields.Require("set", given.Set, "the id of the set, as platformops backup list shows it");
        ControlFields.Require("by", given.By, "who wants it");
        if (!given.Release)
            ControlFields.Require("reason", given.Reason, "why it is to stay, for whoever finds it years later");
        var length = RequestFields.Duration("for", given.For, TimeSpan.FromDays(3650));
        Identify();
        Begin(Holds);
        var hold = given.Release ? null : new BackupHold(given.By!, given.Reason!, Now + length);
        var set = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.HoldSetAsync(new(Request.Store, given.Set!, hold)), Short(given.Release ? $"Let {given.Set} go" : $"Hold {given.Set}"));
        Finish(Holds, "Done.");
        var outcome = given.Release ? HoldOutcome.Released : HoldOutcome.Held;
        EnterPhase(RunbookPhase.Completed, given.Release ? $"{set.Set} is let go by {given.By}: retention decides about it again." : $"{set.Set} stays{(hold!.Until is { } until ? $" until {until:u}" : " until somebody lets it go")}: {hold.Why}");
        Say(outcome);
        return new HoldBackupReport
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = Summary,
            Set = set.Set,
            Hold = set.Hold,
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    });

    private protected override string IfStoppedNow() => "The set is held, or it is not: see platformops backup list.";
}
