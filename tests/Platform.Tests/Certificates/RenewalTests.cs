using PlatformOps.Platform.Certificates;

namespace PlatformOps.Platform.Tests.Certificates;

/// <summary>When certificates are renewed, and how fast.</summary>
public sealed class RenewalTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Is_due_after_its_share_of_the_lifetime_a_little_earlier_by_an_amount_that_its_name_decides()
    {
        var end = Start.AddDays(30);
        var due = Enumerable.Range(0, 1000).Select(number => RenewalPolicy.DueAt($"leaf-{number}", Start, end, 66)).ToList();
        Assert.All(due, at => Assert.InRange((at - Start).TotalDays, 30 * 0.66 * 0.9, 30 * 0.66));
        // Spread over the whole tenth: no hour has more than a few.
        Assert.InRange(due.GroupBy(at => (int)(at - Start).TotalHours).Max(hour => hour.Count()), 1, 45);
        Assert.Equal(due[7], RenewalPolicy.DueAt("leaf-7", Start, end, 66));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(60)]
    public void A_thousand_that_expire_together_never_exceed_the_rate_and_none_expires(int perMinute)
    {
        // All end at the same moment; a third of their lifetime of 60 days is left when they fall due.
        var end = Start.AddDays(20);
        var waiting = Enumerable.Range(0, 1000).Select(number => new Renewal($"leaf-{number:000}", number % 10 == 0 ? "other" : "ours", end)).ToList();
        var rates = new Dictionary<string, int> { ["ours"] = perMinute, ["other"] = 1 };
        var requests = new List<(string Authority, DateTimeOffset At)>();
        var now = Start;
        while (waiting.Count > 0)
        {
            var turn = RenewalPlanner.Turn(waiting, rates, [.. requests.TakeLast(200)], now);
            Assert.True(turn.Now.Count > 0 || turn.Next > now, "it does not go on");
            requests.AddRange(turn.Now.Select(renewal => (renewal.Authority, now)));
            waiting = [.. waiting.Except(turn.Now)];
            // Every third request fails, and asks again: that counts too.
            waiting.AddRange(turn.Now.Where((_, index) => index % 3 == 1 && requests.Count < 2000));
            Assert.True(now < end, "one has expired");
            now = turn.Next ?? now;
        }

        foreach (var authority in requests.GroupBy(request => request.Authority))
        {
            var times = authority.Select(request => request.At).ToList();
            Assert.All(times, at => Assert.InRange(times.Count(other => other >= at && other < at.AddMinutes(1)), 1, rates[authority.Key]));
        }
    }

    [Fact]
    public void Those_that_expire_first_come_first()
    {
        Renewal[] waiting = [new("late", "a", Start.AddDays(3)), new("soon", "a", Start.AddHours(1)), new("b", "a", Start.AddDays(1)), new("a", "a", Start.AddDays(1))];
        var turn = RenewalPlanner.Turn(waiting, new Dictionary<string, int> { ["a"] = 3 }, [], Start);
        Assert.Equal(["soon", "a", "b"], turn.Now.Select(renewal => renewal.Name));
        Assert.Equal(Start.AddMinutes(1), turn.Next);
        Assert.Empty(RenewalPlanner.Turn(waiting, new Dictionary<string, int> { ["a"] = 3 }, [("a", Start), ("a", Start), ("a", Start)], Start.AddSeconds(59)).Now);
    }
}
