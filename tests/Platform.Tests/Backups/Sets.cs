using CsCheck;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>Backup sets for tests.</summary>
internal static class Sets
{
    public static readonly DateTimeOffset Now = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The reference platform's PostgreSQL.</summary>
    public static readonly BackupDefinition Definition = new()
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

    public static BackupSet Of(string id, double daysOld, BackupOutcome outcome = BackupOutcome.Complete) => new()
    {
        Id = id,
        Environment = "production",
        Region = "us-east-1",
        Store = "postgresql",
        Kind = StoreKind.Postgresql,
        Method = BackupMethod.Full,
        Outcome = outcome,
        StartedAt = Now - TimeSpan.FromDays(daysOld),
        FinishedAt = outcome == BackupOutcome.Running ? null : Now - TimeSpan.FromDays(daysOld) + TimeSpan.FromMinutes(5),
        Label = id,
        Manifest = new($"digest of {id}", 3),
    };

    public static BackupSet Verified(this BackupSet set, bool proved = true, double daysAgo = 0) =>
        set with { Proof = new(proved, Now - TimeSpan.FromDays(daysAgo), "verify-1", []) };

    /// <summary>Anything that can be in a catalog, also what should not be: sets of the future, and those that need something younger or unknown.</summary>
    public static readonly Gen<IReadOnlyList<BackupSet>> Any =
        from count in Gen.Int[0, 12]
        from sets in One.Array[count]
        select (IReadOnlyList<BackupSet>)[.. sets.Select((set, index) => set with { Id = $"s{index:00}", Label = $"s{index:00}" })];

    private static Gen<BackupSet> One =>
        from age in Gen.Double[-1, 90]
        from outcome in Gen.Frequency((6, Gen.Const(BackupOutcome.Complete)), (1, Gen.Const(BackupOutcome.Partial)), (1, Gen.Const(BackupOutcome.Failed)), (1, Gen.Const(BackupOutcome.Running)))
        from proved in Gen.Int[0, 3]
        from held in Gen.Int[0, 9]
        from used in Gen.Int[0, 9]
        from locked in Gen.Int[0, 9]
        from marked in Gen.Frequency((1, Gen.Const(-1.0)), (2, Gen.Double[0, 4]))
        from needs in Gen.Frequency((2, Gen.Const(-1)), (2, Gen.Int[0, 11]))
        select Of("", age, outcome) with
        {
            Proof = proved switch { 0 => new(true, Now, "verify-1", []), 1 => new(false, Now, "verify-1", []), _ => null },
            Hold = held switch { 0 => new("ada", "an investigation"), 1 => new("ada", "an investigation", Now.AddDays(-1)), _ => null },
            Uses = used switch { 0 => [new("verify-2", Now.AddMinutes(1))], 1 => [new("verify-2", Now.AddMinutes(-1))], _ => [] },
            Locations = locked == 0 ? [new("us-east-1", "s3://backups", Now.AddDays(1))] : [],
            MarkedAt = marked < 0 ? null : Now - TimeSpan.FromDays(marked),
            DependsOn = needs < 0 ? [] : [$"s{needs:00}"],
        };
}
