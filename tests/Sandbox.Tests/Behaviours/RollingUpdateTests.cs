using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Tests.Behaviours;

public sealed class RollingUpdateTests
{
    public static TheoryData<int, int, int> Rules()
    {
        var rules = new TheoryData<int, int, int>();
        for (var replicas = 0; replicas <= 5; replicas++)
            for (var surge = 0; surge <= 3; surge++)
                for (var unavailable = 0; unavailable <= replicas; unavailable++)
                    if (surge + unavailable > 0)
                        rules.Add(replicas, surge, unavailable);
        return rules;
    }

    /// <summary>Plays rollouts from many mixes of old pods, with pods becoming available in any order.</summary>
    [Theory, MemberData(nameof(Rules))]
    public void Keeps_its_limits_from_every_state_and_finishes(int replicas, int surge, int unavailable)
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var dice = new Random(seed);
            var generations = Start(replicas, surge, dice);
            for (var step = 0; generations[0].Wanted != replicas || generations[0].Available != replicas || generations.Skip(1).Any(old => old.Wanted > 0); step++)
            {
                Assert.True(step < 200, $"Seed {seed} does not finish: {string.Join("; ", generations)}");
                var before = generations.ToList();
                var next = RollingUpdate.Next(replicas, surge, unavailable, generations[0], generations.Skip(1).ToList());
                generations = [.. generations.Select(one => next.TryGetValue(one.Name, out var wanted) ? Resized(one, wanted) : one)];

                var (total, was) = (generations.Sum(one => one.Wanted), before.Sum(one => one.Wanted));
                Assert.True(total <= Math.Max(was, replicas + surge), $"Seed {seed}: {total} pods of {replicas}+{surge}.");
                var (serving, served) = (generations.Sum(one => one.Available), before.Sum(one => one.Available));
                Assert.True(serving >= Math.Min(served, replicas - unavailable), $"Seed {seed}: {serving} of {replicas}-{unavailable} pods serve: {string.Join("; ", before)} -> {string.Join("; ", generations)}");
                if (dice.Next(2) == 0 || next.Count == 0)
                    generations = OneMoreServes(generations, dice);
            }
        }
    }

    [Theory]
    [InlineData(4, null, null, 1, 1)]
    [InlineData(10, null, null, 3, 2)]
    [InlineData(1, null, null, 1, 0)]
    [InlineData(3, "0", "0%", 0, 1)]
    [InlineData(3, "100%", "0", 3, 0)]
    [InlineData(2, "1", "5", 1, 2)]
    public void Counts_and_percentages_round_as_in_Kubernetes(int replicas, string? surge, string? unavailable, int surgeCount, int unavailableCount) =>
        Assert.Equal((surgeCount, unavailableCount), RollingUpdate.Limits(replicas, surge, unavailable));

    // The newest first; broken generations have pods that never serve.
    private static List<Generation> Start(int replicas, int surge, Random dice)
    {
        var left = replicas + surge;
        List<Generation> generations = [];
        for (var number = 0; number < 3; number++)
        {
            var wanted = dice.Next(left + 1);
            left -= wanted;
            generations.Add(new($"generation-{number}", wanted, dice.Next(wanted + 1)));
        }
        return generations;
    }

    // Pods that do not serve are deleted first.
    private static Generation Resized(Generation generation, int wanted) => generation with { Wanted = wanted, Available = Math.Min(wanted, generation.Available) };

    private static List<Generation> OneMoreServes(List<Generation> generations, Random dice)
    {
        if (generations[0].Available < generations[0].Wanted)
            generations[0] = generations[0] with { Available = generations[0].Available + 1 };
        else if (generations.FindIndex(1, old => old.Available < old.Wanted) is var index and > 0 && dice.Next(2) == 0)
            generations[index] = generations[index] with { Available = generations[index].Available + 1 };
        return generations;
    }
}
