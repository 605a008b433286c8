using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>What a restore of a managed database makes, and of what.</summary>
public sealed class ManagedRestoreRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 20, 12, 0, 0, TimeSpan.Zero);

    private static readonly BackupDefinition Definition = new()
    {
        Name = "managed-postgresql",
        Store = StoreKind.Postgresql,
        Schedules = [],
        Continuous = true,
        Retention = TimeSpan.FromDays(30),
        MinimumSets = 1,
        Rpo = TimeSpan.FromMinutes(15),
        Rto = TimeSpan.FromHours(2),
        VerifyEvery = TimeSpan.FromDays(7),
        Grace = TimeSpan.FromDays(1),
    };

    private static readonly ManagedRestoreFacts Facts = new()
    {
        Environment = "production",
        Definition = Definition,
        Sets = [Set("old", 20), Set("new", 1)],
        Instance = "reference-production",
        Region = "us-east-1",
        Places = new Dictionary<string, string> { ["old-label"] = "us-west-2", ["new-label"] = "us-east-1" },
        Log = new(Now.AddDays(-14), Now.AddMinutes(-4)),
        Name = "reference-production-restored-1",
        Now = Now,
    };

    public static TheoryData<ManagedRestoreFacts, string, string?> Cases => new()
    {
        { Facts, "reference-production", null },
        { Facts with { Target = Now.AddDays(-3) }, "reference-production", null },
        { Facts with { Set = "new" }, "new", null },
        { Facts with { Target = Now.AddDays(-16) }, "old", "is not kept: what was committed between" },
        // The database is gone, and its log with it.
        { Facts with { Instance = null, Log = null }, "new", null },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_is_made_of_the_log_where_that_has_the_moment_and_else_of_a_set(ManagedRestoreFacts facts, string of, string? note)
    {
        var plan = Assert.IsType<RestoreDecision.Restore>(ManagedRestoreRules.Decide(facts)).Plan;
        Assert.Equal((of, of == "reference-production", of == "old" ? "us-west-2" : "us-east-1", false), (plan.Set, plan.NewInstance!.FromLog, plan.NewInstance.Region, plan.Overwrites));
        Assert.Equal(plan.NewInstance.FromLog ? facts.Target : null, plan.Target);
        if (note is not null)
            Assert.Contains(plan.Notes, said => said.Contains(note, StringComparison.Ordinal));
        // The log grows while people read the plan: it stays the one that they approve.
        Assert.Equal(plan.Hash, Assert.IsType<RestoreDecision.Restore>(ManagedRestoreRules.Decide(facts with { Now = Now.AddMinutes(5), Log = facts.Log is { } log ? log with { To = Now } : null })).Plan.Hash);
    }

    [Fact]
    public void To_take_the_place_of_the_database_is_another_plan_and_says_what_becomes_of_it()
    {
        var exchange = new InstanceExchange("reference-production", "reference-production-before-1");
        var (beside, taking) = (Of(Facts), Of(Facts with { Exchange = exchange }));
        Assert.NotEqual(beside.Hash, taking.Hash);
        Assert.True(taking.Overwrites);
        Assert.Equal(exchange, taking.NewInstance!.Exchange);
        Assert.StartsWith("reference-production-restored-1 is made in us-east-1 and takes the place of reference-production, which is reference-production-before-1 afterwards", taking.Lost, StringComparison.Ordinal);
        // Of what is not there nothing is backed up.
        var gone = Of(Facts with { Exchange = exchange, Instance = null, Log = null });
        Assert.False(gone.Overwrites);
        Assert.Equal("There is no database, and reference-production-restored-1 is made in us-east-1 and becomes reference-production.", gone.Lost);

        static RestorePlan Of(ManagedRestoreFacts facts) => Assert.IsType<RestoreDecision.Restore>(ManagedRestoreRules.Decide(facts)).Plan;
    }

    public static TheoryData<ManagedRestoreFacts, string> Refusals => new()
    {
        { Facts with { Set = "old", Exchange = new("reference-production", "kept") }, "an instance takes the place of one of its own region" },
        { Facts with { Target = Now.AddMinutes(1) }, "is not yet" },
        { Facts with { Target = Now.AddMinutes(-1) }, "archives the log every five minutes" },
        { Facts with { Target = Now.AddDays(-1), Set = "new" }, "is of one moment: name a set or a moment" },
        { Facts with { Target = Now.AddDays(-25) }, "No set of managed-postgresql can be restored" },
        { Facts with { Set = "new", Places = new Dictionary<string, string>() }, "new has no snapshot any more" },
        { Facts with { Taken = "belongs to somebody" }, "Nothing that is there is replaced" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_cannot_be_restored_is_refused_with_what_to_do(ManagedRestoreFacts facts, string why) =>
        Assert.Contains(why, Assert.IsType<RestoreDecision.Refuse>(ManagedRestoreRules.Decide(facts)).Why, StringComparison.Ordinal);

    private static BackupSet Set(string id, int days) => new()
    {
        Id = id,
        Environment = "production",
        Region = "us-east-1",
        Store = "managed-postgresql",
        Kind = StoreKind.Postgresql,
        Method = BackupMethod.Full,
        Outcome = BackupOutcome.Complete,
        StartedAt = Now.AddDays(-days),
        FinishedAt = Now.AddDays(-days),
        Label = $"{id}-label",
    };
}
