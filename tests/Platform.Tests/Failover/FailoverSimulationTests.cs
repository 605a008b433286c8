using PlatformOps.Platform.Tests.Failover.Simulation;

namespace PlatformOps.Platform.Tests.Failover;

/// <summary>Thousands of seeded failovers in simulated time: never two writable nodes, one in the end, and every acknowledged row accounted for.</summary>
public class FailoverSimulationTests
{
    /// <summary>How many schedules of each mode. <c>FAILOVER_SCHEDULES</c> asks for more.</summary>
    private static readonly int Schedules = int.Parse(Environment.GetEnvironmentVariable("FAILOVER_SCHEDULES") ?? "5000", System.Globalization.CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whatever_breaks_there_are_never_two_primaries_and_no_row_is_unaccounted_for(bool synchronous)
    {
        var results = new FailoverSimulation.Result[Schedules];
        Parallel.For(0, Schedules, seed => results[seed] = new FailoverSimulation(seed, synchronous).Run());

        var bad = results.Index().FirstOrDefault(result => result.Item.Violation is not null);
        Assert.True(bad.Item is null, $"Seed {bad.Index}, synchronous {synchronous}: {bad.Item?.Violation}");
        // That it holds is worth something only when something happened.
        Assert.True(results.Sum(result => result.Finished) > Schedules / 2, "Too few failovers.");
        Assert.True(results.Sum(result => result.TakenBack) > Schedules / 50, "Too few aborts.");
        Assert.True(results.Sum(result => result.Acknowledged) > Schedules * 50, "Too few rows.");
        Assert.Equal(!synchronous, results.Sum(result => result.Lost) > 0);
    }

    [Fact]
    public void A_seed_gives_the_same_schedule_again() =>
        Assert.Equal(new FailoverSimulation(17, true).Run(), new FailoverSimulation(17, true).Run());

    [Theory]
    [InlineData("DoesNotWait", true)]
    [InlineData("CountsFromTheAnswer", true)]
    [InlineData("TrustsOpenConnections", true)]
    [InlineData("DropsSynchronous", true)]
    public void Notices_a_guard_that_is_wrong(string mutant, bool synchronous) =>
        Assert.Contains(Enumerable.Range(0, Schedules), seed => new FailoverSimulation(seed, synchronous, Enum.Parse<Mutant>(mutant)).Run().Violation is not null);
}
