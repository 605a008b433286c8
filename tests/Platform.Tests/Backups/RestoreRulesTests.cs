using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>Which set is restored, what is refused, and what is approved.</summary>
public sealed class RestoreRulesTests
{
    private static readonly DateTimeOffset Minute = Sets.Now - TimeSpan.FromHours(30);

    [Fact]
    public void The_newest_set_from_before_the_moment_is_followed_up_to_it()
    {
        var plan = Plan(Facts() with { Target = Minute });
        Assert.Equal(("two", "twoF", "us-east-1", "us-west-2", 7L, true), (plan.Set, plan.Label, plan.Node, plan.Standby, plan.Epoch, plan.Overwrites));
        Assert.Equal($"It is the newest set from before {Minute:u} that can be followed up to then.", plan.Why);
        Assert.Equal($"The data of us-east-1 (8.0 GB) is replaced. What was committed after {Minute:u} is only in the backup that is made of it first.", plan.Lost);
    }

    [Fact]
    public void Without_a_moment_the_newest_set_is_followed_to_the_end_and_the_time_is_that_of_the_last_verification()
    {
        var plan = Plan(Facts());
        Assert.Equal(("one", (DateTimeOffset?)null, TimeSpan.FromSeconds(90)), (plan.Set, plan.Target, plan.Estimate));
        Assert.Equal(["one was never verified. It is read and compared before anything is replaced."], plan.Notes);
    }

    [Fact]
    public void The_hash_is_of_what_replaces_what_and_of_nothing_that_changes_by_itself()
    {
        var facts = Facts() with { Target = Minute };
        var hash = Plan(facts).Hash;
        Assert.Equal(hash, Plan(facts with { Now = facts.Now.AddMinutes(10), NewestLog = Sets.Now, Place = facts.Place! with { Bytes = 9_000_000_000 } }).Hash);
        Assert.All(
            new[] { facts with { Target = Minute.AddSeconds(1) }, facts with { Set = "three" }, facts with { Epoch = 8 }, facts with { Primary = "us-west-2" }, facts with { Place = facts.Place! with { Bytes = 0 } } },
            other => Assert.NotEqual(hash, Plan(other).Hash));
    }

    [Fact]
    public void A_gap_on_the_way_is_gone_around_by_a_later_set_or_refused()
    {
        var gap = new WalGap("A", "A", 1, Sets.Now - TimeSpan.FromHours(60), Sets.Now - TimeSpan.FromHours(50));
        Assert.Equal("two", Plan(Facts() with { Gaps = [gap], Target = Minute }).Set);
        Assert.Contains("segments of the log are missing", Refusal(Facts() with { Gaps = [gap], Target = Minute, Set = "three" }), StringComparison.Ordinal);
        Assert.Equal("three", Plan(Facts() with { Gaps = [gap], Target = Sets.Now - TimeSpan.FromHours(61) }).Set);
    }

    [Fact]
    public void What_cannot_be_restored_is_refused_with_what_to_do()
    {
        Assert.StartsWith("2026-03-01 00:01:00Z is not yet.", Refusal(Facts() with { Target = Sets.Now.AddMinutes(1) }), StringComparison.Ordinal);
        Assert.Contains("is from after", Refusal(Facts() with { Target = Sets.Now - TimeSpan.FromDays(9) }), StringComparison.Ordinal);
        Assert.Contains("has no set four", Refusal(Facts() with { Set = "four" }), StringComparison.Ordinal);
        Assert.Contains("one is damaged.", Refusal(Facts() with { Set = "one", Sets = [Set("one", 1).Verified(proved: false)] }), StringComparison.Ordinal);
        Assert.Contains("one is being removed.", Refusal(Facts() with { Set = "one", Sets = [Set("one", 1) with { Sweeping = true }] }), StringComparison.Ordinal);
        Assert.Contains("It needs A to become consistent", Refusal(Facts() with { Set = "one", Broken = new Dictionary<string, string> { ["oneF"] = "It needs A to become consistent, and that is not in the archive." } }), StringComparison.Ordinal);
        Assert.Contains("The guard of us-east-1, which is primary in epoch 7, does not answer", Refusal(Facts() with { Place = null }), StringComparison.Ordinal);
        Assert.Contains("op-other has restored something beside", Refusal(Facts() with { Place = Facts().Place! with { Busy = "op-other" } }), StringComparison.Ordinal);
        Assert.Contains("8.8 GB are needed", Refusal(Facts() with { Place = Facts().Place! with { FreeBytes = 8_100_000_000 } }), StringComparison.Ordinal);
        Assert.Contains("is the mount point of a volume", Refusal(Facts() with { Place = Facts().Place! with { MountPoint = true } }), StringComparison.Ordinal);
        Assert.Contains("keeps no log between its sets", Refusal(Facts() with { Target = Minute, Definition = Sets.Definition with { Continuous = false } }), StringComparison.Ordinal);
    }

    [Fact]
    public void The_way_back_is_whole_from_every_step_before_the_opening_and_there_is_none_after_it()
    {
        var progress = new RestoreProgress();
        Assert.Empty(progress.Compensations);
        foreach (var step in RestoreProgress.Steps)
        {
            progress = progress.Begin(step);
            Assert.Equal(step >= RestoreStep.Open, progress.PointOfNoReturnPassed);
            Assert.Equal(
                step >= RestoreStep.Open ? [] : [.. step >= RestoreStep.Place ? [RestoreStep.PutBack] : Array.Empty<RestoreStep>(), .. step >= RestoreStep.Fence ? [RestoreStep.Unfence] : Array.Empty<RestoreStep>(), RestoreStep.Discard],
                progress.Compensations);
            // A step that is begun again takes nothing back.
            Assert.Equal(progress, progress.Begin(RestoreStep.Reserve));
        }
    }

    [Theory]
    [InlineData(1, 5, 3)]
    [InlineData(1, 9, 1)]
    [InlineData(2, 8, 3)]
    [InlineData(2, 20, 2)]
    [InlineData(3, 12, 3)]
    public void A_set_is_followed_along_the_newest_timeline_that_it_is_part_of(uint timeline, ulong number, uint expected)
    {
        // The second leaves the first in segment 7, the third the second in segment 10.
        TimelineStart[] timelines = [new(2, 1, 7), new(3, 2, 10)];
        Assert.Equal(expected, RestoreTimeline.Of(new(timeline, number), timelines));
    }

    private static BackupSet Set(string id, double daysOld) => Sets.Of(id, daysOld) with { Label = $"{id}F" };

    private static RestoreFacts Facts() => new()
    {
        Environment = "production",
        Definition = Sets.Definition,
        Sets = [Set("three", 3).Verified() with { Proof = new(true, Sets.Now, "verify-1", [], null, TimeSpan.FromSeconds(90)) }, Set("two", 2).Verified(), Set("one", 1)],
        Gaps = [],
        Broken = new Dictionary<string, string>(),
        NewestLog = Sets.Now - TimeSpan.FromSeconds(20),
        Primary = "us-east-1",
        Epoch = 7,
        Nodes = new Dictionary<string, DatabaseNode?> { ["us-east-1"] = Node("us-east-1", NodeRole.Primary), ["us-west-2"] = Node("us-west-2", NodeRole.Standby) },
        Place = new(8_000_000_000, 100_000_000_000, false, null),
        Now = Sets.Now,
    };

    private static DatabaseNode Node(string name, NodeRole role) => new() { Name = name, Role = role, Writable = role == NodeRole.Primary, Fenced = false, Epoch = 7 };

    private static RestorePlan Plan(RestoreFacts facts) => Assert.IsType<RestoreDecision.Restore>(RestoreRules.Decide(facts, "op-1")).Plan;

    private static string Refusal(RestoreFacts facts) => Assert.IsType<RestoreDecision.Refuse>(RestoreRules.Decide(facts, "op-1")).Why;
}
