using System.Globalization;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The run itself with everything that can die or be cut off, at each of its side effects and at random moments. Never two writable primaries, one in the end; nothing that was
/// acknowledged is lost where commits wait, and not more than was reported where they do not.</summary>
public sealed class FailoverCrashTests(ITestOutputHelper output)
{
    /// <summary><c>all</c>: every case of the matrix, which takes hours. A number: from which of them on.</summary>
    private const string Cases = "PLATFORMOPS_TEST_CRASHES";

    /// <summary>How many seeds of random faults, or <c>FROM-TO</c>.</summary>
    private const string Seeds = "PLATFORMOPS_TEST_CRASH_SEEDS";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whatever_dies_freezes_or_is_cut_off_one_node_serves_in_the_end_and_every_row_is_accounted_for(bool synchronous)
    {
        var (cases, seeds) = (Environment.GetEnvironmentVariable(Cases), Environment.GetEnvironmentVariable(Seeds));
        IEnumerable<Func<CrashWorld, Task>> chosen =
        [
            .. (cases is { Length: > 0 } ? CrashCase.All.Skip(int.TryParse(cases, CultureInfo.InvariantCulture, out var from) ? from : 0) : seeds is { Length: > 0 } ? [] : CrashCase.Some(6, seed: 1))
                // Last: what follows the runs' histories begins anew with it.
                .Concat(cases is { Length: > 0 } || seeds is { Length: > 0 } ? [] : [new(true, Cause.NodeLost, "repoint", Moment.BeforeEffect, Victim.Brain, TimeSpan.FromSeconds(2))])
                .Where(one => one.Synchronous == synchronous).Select(one => (Func<CrashWorld, Task>)(world => world.CrashAsync(one))),
            .. (seeds is { Length: > 0 } ? Wanted(seeds) : cases is { Length: > 0 } ? [] : Enumerable.Range(1, 2))
                // Of both modes each gets every second seed.
                .Where(seed => seed % 2 == (synchronous ? 0 : 1)).Select(seed => (Func<CrashWorld, Task>)(world => world.DisturbAsync(seed, TimeSpan.FromSeconds(6)))),
        ];
        await EachAsync(synchronous, [.. chosen]);
    }

    private static IEnumerable<int> Wanted(string text)
    {
        var numbers = text.Split('-').Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToList();
        return numbers is [var from, var to] ? Enumerable.Range(from, to - from + 1) : Enumerable.Range(1, numbers[0]);
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
