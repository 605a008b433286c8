using System.Globalization;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The run itself with everything that can die or be cut off, at each of its side effects and at random moments. Never two writable primaries, one in the end; nothing that was
/// acknowledged is lost where commits wait, and not more than was reported where they do not.</summary>
public sealed class FailoverCrashTests(ITestOutputHelper output)
{
    /// <summary><c>all</c>: every case of the matrix, which takes hours. A number: from which of them on; <c>FROM-TO</c>: those. <c>each</c>: each victim at each moment of each step once, <c>each:FROM-TO</c>: of those. <c>some:N</c>: so many, spread over all that is in it. Otherwise <see cref="CrashCase.Is"/>.</summary>
    private const string Cases = "PLATFORMOPS_TEST_CRASHES";

    /// <summary>How many seeds of random faults, or <c>FROM-TO</c>.</summary>
    private const string Seeds = "PLATFORMOPS_TEST_CRASH_SEEDS";

    /// <summary>How many minutes of noise in each mode.</summary>
    private const string Noise = "PLATFORMOPS_TEST_NOISE_MINUTES";

    private static readonly CrashCase BrainLoss = new(Synchronous: true, Cause.NodeLost, "repoint", Moment.BeforeEffect, Victim.Brain, TimeSpan.FromSeconds(2));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whatever_dies_freezes_or_is_cut_off_one_node_serves_in_the_end_and_every_row_is_accounted_for(bool synchronous)
    {
        var (cases, seeds, noise) = (Environment.GetEnvironmentVariable(Cases), Environment.GetEnvironmentVariable(Seeds), Environment.GetEnvironmentVariable(Noise));
        // The loss of the bootstrap server for good is not among those that are drawn: it is chosen, and last.
        var chosen = (cases, seeds, noise) switch
        {
            ({ Length: > 0 }, _, _) => Crashes(Asked(cases)),
            (_, { Length: > 0 }, _) => Disturbances(Wanted(seeds)),
            (_, _, { Length: > 0 }) => [world => world.BearAsync(seed: 1, TimeSpan.FromMinutes(double.Parse(noise, CultureInfo.InvariantCulture)))],
            _ => [world => world.BearAsync(seed: 1, TimeSpan.FromSeconds(8)), .. Crashes([.. CrashCase.Some(6, seed: 1), BrainLoss]), .. Disturbances(Enumerable.Range(1, 2))],
        };
        await EachAsync(synchronous, [.. chosen]);

        IEnumerable<Func<CrashWorld, Task>> Crashes(IEnumerable<CrashCase> all) =>
            all.Where(one => one.Synchronous == synchronous).Select(one => (Func<CrashWorld, Task>)(world => world.CrashAsync(one)));

        // Of both modes each gets every second seed.
        IEnumerable<Func<CrashWorld, Task>> Disturbances(IEnumerable<int> all) =>
            all.Where(seed => seed % 2 == (synchronous ? 0 : 1)).Select(seed => (Func<CrashWorld, Task>)(world => world.DisturbAsync(seed, TimeSpan.FromSeconds(6))));
    }

    private static IEnumerable<CrashCase> Asked(string cases)
    {
        if (cases == "all")
            return CrashCase.All;
        if (cases.StartsWith("some:", StringComparison.Ordinal))
            return CrashCase.Some(int.Parse(cases["some:".Length..], CultureInfo.InvariantCulture), seed: 2);
        var of = cases.StartsWith("each", StringComparison.Ordinal) ? CrashCase.Each : CrashCase.All;
        return (cases, Numbers(cases.Replace("each:", "", StringComparison.Ordinal))) switch
        {
            ("each", _) => of,
            (_, [var from]) => of.Skip(from),
            (_, [var from, var to]) => of.Take(from..(to + 1)),
            _ => of.Where(one => one.Is(cases)),
        };
    }

    private static IEnumerable<int> Wanted(string text) =>
        Numbers(text) is [var from, var to] ? Enumerable.Range(from, to - from + 1) : Enumerable.Range(1, int.Parse(text, CultureInfo.InvariantCulture));

    /// <summary>One or two of them; none where it is something else.</summary>
    private static int[] Numbers(string text)
    {
        var numbers = text.Split('-').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1).ToArray();
        return numbers.Length <= 2 && !numbers.Contains(-1) ? numbers : [];
    }

    /// <summary>One after the other in one world. After one that fails the world is another one, and all are told of in the end.</summary>
    private async Task EachAsync(bool synchronous, IReadOnlyList<Func<CrashWorld, Task>> cases)
    {
        var failed = new List<string>();
        CrashWorld? world = null;
        try
        {
            foreach (var (number, one) in cases.Index())
            {
                try
                {
                    world ??= await CrashWorld.StartAsync(synchronous, output.WriteLine);
                    await one(world);
                }
                catch (Exception failure) when (failure is not OperationCanceledException && cases.Count > 1)
                {
                    output.WriteLine($"FAILED {number}: {failure.Message}");
                    failed.Add($"{number}: {failure.Message}");
                    if (world is not null)
                        await world.DisposeAsync();
                    world = null;
                }
            }
        }
        finally
        {
            if (world is not null)
                await world.DisposeAsync();
        }

        Assert.True(failed.Count == 0, string.Join("\n\n", failed));
    }
}
