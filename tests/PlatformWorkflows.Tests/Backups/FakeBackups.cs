using System.Collections.Concurrent;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>A backup catalog in memory, decided about with the product's own policies, and a store that makes and restores sets at once.</summary>
internal sealed partial class FakeBackups : IBackupActivities
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock gate = new();
    private int making;
    private readonly ConcurrentQueue<(string Call, bool AfterEffect, string? Type)> failures = [];
    private readonly Dictionary<string, string> quarantines = [];

    /// <summary>Every call that took effect, in order.</summary>
    public ConcurrentQueue<string> Events { get; } = [];

    public Dictionary<string, BackupSet> Sets { get; } = [];

    public BackupDefinition Definition { get; init; } = new()
    {
        Name = "postgresql",
        Store = StoreKind.Postgresql,
        Schedules = [new(BackupMethod.Full, TimeSpan.FromDays(7), TimeSpan.Zero)],
        Continuous = true,
        Retention = TimeSpan.FromDays(30),
        MinimumSets = 2,
        Rpo = TimeSpan.FromMinutes(1),
        Rto = TimeSpan.FromMinutes(15),
        VerifyEvery = TimeSpan.FromDays(7),
        Grace = TimeSpan.FromDays(1),
    };

    /// <summary>A store of another kind.</summary>
    public static FakeBackups Of(StoreKind kind, bool etcd = false)
    {
        var usual = new FakeBackups();
        return new() { Etcd = etcd, Definition = usual.Definition with { Store = kind, Continuous = false } };
    }

    /// <summary>The time of policies.</summary>
    public DateTimeOffset Now { get; set; } = Start;

    /// <summary>What a set that is made lacks.</summary>
    public IReadOnlyList<string> Missing { get; set; } = [];

    /// <summary>What a probe finds.</summary>
    public IReadOnlyList<string> Wrong { get; init; } = [];

    /// <summary>What is not as it has to be in the repository.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    public TimeSpan Rpo { get; init; } = TimeSpan.FromSeconds(31.5);

    /// <summary>While it is true, making a set does not end.</summary>
    public bool Slow { get; set; }

    /// <summary>Whether a set that does not end was begun.</summary>
    public bool StandsStill { get; private set; }

    /// <summary>What is in quarantine, by operation.</summary>
    public IReadOnlyDictionary<string, string> Quarantines => quarantines;

    public FakeBackups With(string id, double daysOld, BackupProof? proof = null, DateTimeOffset? marked = null)
    {
        Sets[id] = new()
        {
            Id = id,
            Environment = "development",
            Region = "us-east-1",
            Store = "postgresql",
            Kind = StoreKind.Postgresql,
            Method = BackupMethod.Full,
            Outcome = BackupOutcome.Complete,
            StartedAt = Start.AddDays(-daysOld),
            FinishedAt = Start.AddDays(-daysOld).AddMinutes(5),
            Label = $"{id}F",
            Bytes = 4_300_000,
            Proof = proof,
            MarkedAt = marked,
        };
        return this;
    }

    /// <summary>The next call of that name fails.</summary>
    /// <param name="type">Null: it is retried.</param>
    public FakeBackups Fail(string call, bool afterEffect = false, string? type = null)
    {
        failures.Enqueue((call, afterEffect, type));
        return this;
    }

    public Task<BegunBackup> BeginBackupAsync(BeginBackupInput input) => DoAsync("begin", () =>
    {
        if (input.Kind != Definition.Store)
            throw new ApplicationFailureException($"Field 'store' is '{input.Store}', which is of kind {Definition.Store}.", FailureTypes.InvalidInput, nonRetryable: true);
        Sets.TryAdd(input.Operation, new()
        {
            Id = input.Operation,
            Environment = input.Store.Environment,
            Region = "us-east-1",
            Store = "postgresql",
            Kind = StoreKind.Postgresql,
            Method = BackupMethod.Full,
            Outcome = BackupOutcome.Running,
            StartedAt = Now,
        });
        return new BegunBackup(input.Method ?? BackupMethod.Full, "The last full one is of 2026-02-22.", Etcd);
    });

    /// <summary>Whether a snapshot of etcd belongs into sets.</summary>
    public bool Etcd { get; init; }

    public Task<TakenEtcdSnapshot> SnapshotEtcdAsync(SnapshotEtcdInput input) => DoAsync("etcd", () => new TakenEtcdSnapshot(new("3.6.4", 7, 5, 20_000, new('a', 64), new(EtcdSnapshot.FileName, 9_000, new('b', 64)))));

    /// <summary>How many sets were made at once, at most.</summary>
    public int MostAtOnce { get; private set; }

    public async Task<MadeBackup> MakeBackupAsync(MakeBackupInput input)
    {
        lock (gate)
            MostAtOnce = Math.Max(MostAtOnce, ++making);
        try
        {
            return await MakeAsync();
        }
        finally
        {
            lock (gate)
                making--;
        }
    }

    private async Task<MadeBackup> MakeAsync()
    {
        while (Slow && Restore?.Set != "slow")
        {
            StandsStill = true;
            ActivityExecutionContext.Current.Heartbeat("1 of 2 files");
            await Task.Delay(20, ActivityExecutionContext.Current.CancellationToken);
        }

        return await DoAsync("make", () => new MadeBackup("20260301-000000F", Now, Now.AddMinutes(3), new(Now.AddMinutes(3), Now.AddMinutes(3)), 4_300_000, new("abc", 993), [new("us-east-1", "s3://backups/postgresql")], [], Missing));
    }

    public Task<RecordedBackup> RecordBackupAsync(RecordBackupInput input) => DoAsync("record", () =>
    {
        var set = Sets[input.Operation];
        return new RecordedBackup(Sets[input.Operation] = input.Made is { } made
            ? set with
            {
                Outcome = made.Missing.Count == 0 ? BackupOutcome.Complete : BackupOutcome.Partial,
                Reason = made.Missing.Count == 0 ? null : string.Join(" ", made.Missing),
                FinishedAt = made.FinishedAt,
                Range = made.Range,
                Label = made.Label,
                Bytes = made.Bytes,
                Manifest = made.Manifest,
                Locations = made.Locations,
            }
            : set with { Outcome = BackupOutcome.Failed, Reason = input.Failure, FinishedAt = Now });
    });

    public Task<CheckedRepository> CheckRepositoryAsync(StoreReference input) => DoAsync("check", () => new CheckedRepository(Findings, [], [], [], Now));

    public Task<FoundBackups> ReadBackupsAsync(StoreReference input) => DoAsync("read", () => new FoundBackups(
        [.. Sets.Values.Select(set => new FoundBackup(set.Id, set.Standing(Definition.VerifyEvery, Now), set.Method, set.StartedAt, set.Label, set.Bytes, set.Proof?.At, null, null, set.Reason))], Sets.Count));

    public Task<ChosenSet> ChooseSetAsync(ChooseSetInput input) => DoAsync("choose", () =>
    {
        var choice = VerificationPlanner.Choose([.. Sets.Values], Definition, Now);
        return new ChosenSet(input.Set ?? choice.Set, choice.Why, choice.Unproven, Definition.Rpo, Definition.Rto);
    });

    public Task<QuarantinedSet> RestoreIntoQuarantineAsync(QuarantineInput input)
    {
        // What fails half-way leaves something.
        quarantines[input.Operation] = input.Set;
        return DoAsync("restore", () => new QuarantinedSet(TimeSpan.FromSeconds(12), Now, $"{input.Set} was restored in 12 s."));
    }

    public Task<ProbedSet> ProbeAsync(QuarantineInput input) => DoAsync("probe", () => new ProbedSet(Wrong, ["All 12 markers that are older than 1m are there."], Rpo, Unread: Unread));

    /// <summary>Why nobody has read what was restored; null: it was read.</summary>
    public string? Unread { get; init; }

    public Task<CleanedQuarantine> CleanUpAsync(QuarantineInput input) => DoAsync("cleanUp", () => new CleanedQuarantine(quarantines.Remove(input.Operation, out var set) ? [set] : []));

    public Task RecordProofAsync(RecordProofInput input) => DoAsync("proof", () => Sets[input.Set] = Sets[input.Set] with { Proof = input.Proof ?? Sets[input.Set].Proof, Restored = input.Restored });

    /// <summary>What is planned; null: it is refused.</summary>
    public RestorePlan? Restore { get; set; } = new()
    {
        Environment = "development",
        Store = "postgresql",
        Set = "new",
        Label = "newF",
        Target = Start.AddMinutes(-5),
        Why = "It is the newest set.",
        Node = "us-east-1",
        Standby = "us-west-2",
        Epoch = 7,
        Overwrites = true,
        Lost = "The data of us-east-1 is replaced.",
        Estimate = TimeSpan.FromSeconds(12),
        Notes = [],
    };

    /// <summary>A database that somebody else operates: nothing of it is replaced.</summary>
    public FakeBackups Beside()
    {
        Restore = Restore! with { Node = "shop-restored-1", Standby = null, Overwrites = false, Lost = "Nothing is replaced.", NewInstance = new("shop-restored-1", "us-east-1", FromLog: false) };
        return this;
    }

    /// <summary>One whose place the restored one takes.</summary>
    public FakeBackups Exchanged()
    {
        Beside();
        Restore = Restore! with { Overwrites = true, NewInstance = Restore.NewInstance! with { Exchange = new("shop", "shop-before-1") } };
        return this;
    }

    /// <summary>How many have to approve it.</summary>
    public int Approvals { get; init; } = 1;

    /// <summary>The steps of restores that took effect, in order.</summary>
    public IEnumerable<string> RestoreSteps => Events.Where(call => char.IsUpper(call[0]) && Enum.TryParse<RestoreStep>(call, out _));

    public Task<PlannedRestore> PlanRestoreAsync(PlanRestoreInput input) =>
        DoAsync("plan", () => new PlannedRestore(Restore, Restore is null ? "The log has a gap." : null, Approvals, TimeSpan.FromHours(1), input.Before is { } before && Sets.GetValueOrDefault(before)?.Good == true));

    public async Task<RestoreStepResult> RestoreStepAsync(RestoreStepInput input)
    {
        while (Slow && input.Step == SlowStep)
        {
            ActivityExecutionContext.Current.Heartbeat("1 of 2 files");
            await Task.Delay(20, ActivityExecutionContext.Current.CancellationToken);
        }

        return await DoAsync($"{input.Step}", () => new RestoreStepResult(input.KeepOld ? "Done; the old data stays." : "Done.", input.Step == RestoreStep.Claim ? 8 : input.Epoch, input.Step == RestoreStep.Restore ? TimeSpan.FromSeconds(12) : null));
    }

    /// <summary>The step of a restore that does not end while <see cref="Slow"/>.</summary>
    public RestoreStep SlowStep { get; init; } = RestoreStep.Restore;

    public Task<HeldSet> HoldSetAsync(HoldSetInput input) => DoAsync("hold", () => new HeldSet(input.Set, (Sets[input.Set] = Sets[input.Set] with { Hold = input.Hold }).Hold));

    public Task<DecidedRetention> DecideRetentionAsync(StoreReference input) => DoAsync("decide", () => new DecidedRetention(RetentionPolicy.Decide([.. Sets.Values], Definition, Now), Sets.Count, []));

    public Task<RetiredSet> RetireSetAsync(RetireSetInput input) => DoAsync($"{input.Action} {input.Set}", () =>
    {
        if (RetentionPolicy.Decide([.. Sets.Values], Definition, Now).FirstOrDefault(verdict => verdict.Set == input.Set) is { } verdict && verdict.Action != input.Action)
            return new RetiredSet(false, verdict.Why);
        if (input.Action == RetentionAction.Sweep)
            Sets.Remove(input.Set);
        else
            Sets[input.Set] = Sets[input.Set] with { MarkedAt = input.Action == RetentionAction.Mark ? Now : null };
        return new RetiredSet(true, "Done.");
    });

    private Task<T> DoAsync<T>(string call, Func<T> act)
    {
        lock (gate)
        {
            var failing = failures.TryPeek(out var failure) && failure.Call == call && failures.TryDequeue(out failure);
            if (failing && !failure.AfterEffect)
                throw Failure(failure.Type);
            var result = act();
            Events.Enqueue(call);
            return failing ? throw Failure(failure.Type) : Task.FromResult(result);
        }
    }

    private static ApplicationFailureException Failure(string? type) => type is null
        ? new("The repository does not answer.", FailureTypes.Unavailable, nextRetryDelay: TimeSpan.FromMilliseconds(10))
        : new("A file of it is not what was written.", type, nonRetryable: true);
}
