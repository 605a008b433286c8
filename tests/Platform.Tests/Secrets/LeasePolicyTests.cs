using PlatformOps.Platform.Secrets;

namespace PlatformOps.Platform.Tests.Secrets;

/// <summary>When leases are renewed and replaced.</summary>
public sealed class LeasePolicyTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(0, LeaseStep.Use)]
    [InlineData(26, LeaseStep.Use)]
    [InlineData(30, LeaseStep.Renew)]
    [InlineData(59, LeaseStep.Renew)]
    [InlineData(60, LeaseStep.Replace)]
    public void Is_renewed_from_half_of_its_life_on_and_replaced_when_it_has_ended(int minutes, LeaseStep step) =>
        Assert.Equal(step, LeasePolicy.Decide(Lease(), Start.AddMinutes(minutes)).Step);

    [Fact]
    public void Is_replaced_where_it_cannot_be_renewed_was_cut_or_ends_with_a_token_that_was_replaced()
    {
        Assert.Equal(LeaseStep.Replace, Step(Lease() with { Renewable = false }, 31));
        Assert.Equal(LeaseStep.Use, Step(Lease() with { Renewable = false }, 1));
        // A renewal that gave 40 minutes: nothing will give more.
        Assert.Equal(LeaseStep.Replace, Step(Lease() with { Ends = Start.AddMinutes(40) }, 1));
        Assert.Equal(LeaseStep.Replace, Step(Lease() with { Orphaned = true }, 1));
        Assert.Equal(LeaseStep.Replace, LeasePolicy.Decide(null, Start).Step);
        Assert.Equal(LeaseStep.Use, Step(Lease() with { Life = TimeSpan.Zero, Ends = DateTimeOffset.MaxValue }, 1_000_000));
    }

    [Fact]
    public void An_attempt_that_failed_is_followed_by_another_one_after_a_moment_that_fits_its_life()
    {
        var tried = Lease() with { TriedAt = Start.AddMinutes(30) };
        Assert.Equal((LeaseStep.Use, Start.AddMinutes(30).AddSeconds(5)), (LeasePolicy.Decide(tried, Start.AddMinutes(30).AddSeconds(4)).Step, LeasePolicy.Decide(tried, Start.AddMinutes(30)).Until));
        Assert.Equal(LeaseStep.Renew, LeasePolicy.Decide(tried, Start.AddMinutes(30).AddSeconds(5)).Step);
        Assert.Equal(TimeSpan.FromSeconds(1), LeasePolicy.PauseOf(TimeSpan.FromSeconds(20)));
        Assert.Contains("tried a moment ago", LeasePolicy.Decide(tried, Start.AddMinutes(30)).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Those_that_were_handed_out_together_are_not_renewed_together()
    {
        var due = Enumerable.Range(0, 100).Select(number => LeasePolicy.Decide(Lease() with { Name = $"lease-{number}" }, Start).Until).ToList();
        Assert.All(due, at => Assert.InRange((at - Start).TotalMinutes, 27, 30));
        Assert.InRange(due.Distinct().Count(), 90, 100);
    }

    /// <summary>A server that grants a life, up to a longest one, and is out of reach for a third of a life, from any moment on, as often as that third is over and it was back for as long again.</summary>
    [Theory]
    [InlineData(1.0)]
    [InlineData(1.2)]
    [InlineData(2.0)]
    [InlineData(2.45)]
    [InlineData(24.0)]
    public void Whatever_the_moment_at_which_an_outage_of_a_third_of_its_life_begins_a_lease_is_held_at_every_moment(double longest)
    {
        var (life, step) = (TimeSpan.FromMinutes(30), TimeSpan.FromSeconds(5));
        foreach (var begins in Enumerable.Range(0, 100).Select(number => TimeSpan.FromMinutes(0.9 * number)))
        {
            var (made, held, replaced) = (Start, new HeldLease($"lease-{begins}", life, Start, Start + life, true), 0);
            for (var now = Start; now < Start + (life * 6); now += step)
            {
                Assert.True(now < held.Ends, $"longest {longest}, outage from {begins}: at {now - Start} it has ended");
                var isOut = now - Start >= begins && (now - Start - begins).Ticks % (life * (2.0 / 3)).Ticks < (life / 3).Ticks;
                switch (LeasePolicy.Decide(held, now).Step)
                {
                    case LeaseStep.Use:
                        break;
                    case var _ when isOut:
                        held = held with { TriedAt = now };
                        break;
                    case LeaseStep.Renew:
                        var granted = made + (life * longest) - now is var left && left < life ? left : life;
                        held = held with { Since = now, Ends = now + granted, TriedAt = null };
                        break;
                    default:
                        (made, replaced) = (now, replaced + 1);
                        held = new($"{held.Name}'", life, now, now + life, true);
                        break;
                }
            }

            Assert.True(longest > 6 || replaced > 0, "it outlived its longest life");
        }
    }

    private static LeaseStep Step(HeldLease lease, int minutes) => LeasePolicy.Decide(lease, Start.AddMinutes(minutes)).Step;

    private static HeldLease Lease() => new("lease", Hour, Start, Start + Hour, true);
}
