using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Provisioning;

public class DependencyGraphTests
{
    [Fact]
    public void Puts_each_name_after_what_it_depends_on_whatever_the_graph()
    {
        var random = new Random(4711);
        for (var round = 0; round < 200; round++)
        {
            // Edges only from later to earlier names of a shuffled list: never a cycle.
            var names = Enumerable.Range(0, random.Next(1, 20)).Select(number => $"n{number:00}").ToArray();
            random.Shuffle(names);
            var graph = names.Select((name, index) => (name, index)).ToDictionary(
                pair => pair.name,
                pair => (IReadOnlyList<string>)[.. names.Take(pair.index).Where(_ => random.Next(3) == 0)]);

            var order = DependencyGraph.Order(graph).ToList();

            Assert.Equal(names.Length, order.Count);
            Assert.All(graph, pair => Assert.All(pair.Value, needed => Assert.True(order.IndexOf(needed) < order.IndexOf(pair.Key))));
            Assert.Equal(order, DependencyGraph.Order(graph.Reverse().ToDictionary()));
        }
    }

    [Fact]
    public void Names_every_missing_dependency_and_the_cycle_at_once()
    {
        var refused = Assert.Throws<DependencyException>(() => DependencyGraph.Order(new Dictionary<string, IReadOnlyList<string>>
        {
            ["a"] = ["b", "nowhere"],
            ["b"] = ["c"],
            ["c"] = ["b"],
            ["d"] = ["gone"],
        }));

        Assert.Equal(["a depends on nowhere, which is not there.", "d depends on gone, which is not there.", "There is a cycle: b -> c -> b."], refused.Problems);
    }

    [Fact]
    public void Names_something_that_depends_on_itself()
    {
        var refused = Assert.Throws<DependencyException>(() => DependencyGraph.Order(new Dictionary<string, IReadOnlyList<string>> { ["a"] = ["a"] }));

        Assert.Equal(["There is a cycle: a -> a."], refused.Problems);
    }

    [Fact]
    public void Takes_what_is_named_with_everything_below_it() => Assert.Equal(
        ["database", "frontend", "schema"],
        DependencyGraph.Closure(["frontend"], new Dictionary<string, IReadOnlyList<string>>
        {
            ["web"] = ["frontend"],
            ["frontend"] = ["schema"],
            ["schema"] = ["database"],
            ["database"] = [],
        }).Order(StringComparer.Ordinal));
}
