using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover;

/// <summary>Which claims are made, which have been, and which are void.</summary>
public class ClaimRulesTests
{
    private static readonly WitnessRecord Found = new(7, "east", "first", new(40, TimeSpan.FromSeconds(1), Released: false), null);

    [Theory]
    [InlineData(7, 40L, false, true)]
    [InlineData(7, null, false, true)]
    [InlineData(6, null, false, false)]
    [InlineData(8, null, false, false)]
    [InlineData(7, 39L, false, false)]
    [InlineData(7, null, true, false)]
    public void Claims_only_what_was_decided_about(long epoch, long? stalled, bool handedOver, bool claims)
    {
        var verdict = ClaimRules.Claim(Found, "west", "mine", epoch, stalled, handedOver);

        if (claims)
            Assert.Equal(new(8, "west", "mine", null, Found.Lease), Assert.IsType<ClaimVerdict.Write>(verdict).Record);
        else
            Assert.Equal(7, Assert.IsType<ClaimVerdict.Void>(verdict).Epoch);
    }

    [Fact]
    public void Finds_its_own_claim_done()
    {
        var claimed = Found.Claim("west", "mine", fenced: false);

        Assert.Equal(8, Assert.IsType<ClaimVerdict.AlreadyDone>(ClaimRules.Claim(claimed, "west", "mine", 7, 40, false)).Epoch);
    }

    [Fact]
    public void A_switchover_claims_once_the_lease_was_given_back() =>
        Assert.True(Assert.IsType<ClaimVerdict.Write>(ClaimRules.Claim(Found.Release(), "west", "mine", 7, null, handedOver: true)).Record.Replaced!.Released);

    [Theory]
    [InlineData("first", 7, 8)] // The claim has not arrived; what is written takes its version away.
    [InlineData("mine", 8, 9)]
    [InlineData("mine-back", 9, 9)]
    [InlineData("others", 9, 9)]
    public void Takes_a_claim_back_whether_it_has_arrived_or_not(string by, long epoch, long after)
    {
        var verdict = ClaimRules.ClaimBack(Found with { OperationId = by, Epoch = epoch }, "east", "mine", 8);

        Assert.Equal(after, verdict.Epoch);
        Assert.Equal(by is "first" or "mine", verdict is ClaimVerdict.Write { Record.Primary: "east" });
    }
}
