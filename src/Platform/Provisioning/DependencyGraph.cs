namespace PlatformOps.Platform.Provisioning;

/// <summary>The catalog's dependencies do not form an order. The message names every cycle and every missing dependency.</summary>
public sealed class DependencyException(IReadOnlyList<string> problems) : Exception(string.Join(" ", problems))
{
    public IReadOnlyList<string> Problems => problems;
}

/// <summary>Brings names into an order in which each stands after everything that it depends on; among equals, by name.</summary>
public static class DependencyGraph
{
    /// <param name="dependencies">For each name, the names that must come first.</param>
    /// <exception cref="DependencyException">There is a cycle, or a dependency that is not among the names.</exception>
    public static IReadOnlyList<string> Order(IReadOnlyDictionary<string, IReadOnlyList<string>> dependencies)
    {
        var problems = dependencies.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .SelectMany(pair => pair.Value.Where(needed => !dependencies.ContainsKey(needed)).Select(needed => $"{pair.Key} depends on {needed}, which is not there."))
            .ToList();
        var order = new List<string>();
        var placed = new HashSet<string>();
        var waiting = new SortedSet<string>(dependencies.Keys, StringComparer.Ordinal);
        while (waiting.FirstOrDefault(name => dependencies[name].All(needed => placed.Contains(needed) || !dependencies.ContainsKey(needed))) is { } next)
        {
            waiting.Remove(next);
            placed.Add(next);
            order.Add(next);
        }

        if (waiting.Count > 0)
            problems.Add($"There is a cycle: {Cycle(waiting, dependencies)}.");
        return problems.Count > 0 ? throw new DependencyException(problems) : order;
    }

    /// <summary>The given names and everything that they depend on, directly or not.</summary>
    public static IReadOnlySet<string> Closure(IEnumerable<string> names, IReadOnlyDictionary<string, IReadOnlyList<string>> dependencies)
    {
        var closure = new HashSet<string>();
        var open = new Stack<string>(names);
        while (open.TryPop(out var name))
        {
            if (!closure.Add(name) || !dependencies.TryGetValue(name, out var needed))
                continue;
            foreach (var dependency in needed)
                open.Push(dependency);
        }

        return closure;
    }

    /// <summary>Every waiting name waits for another waiting one, so following these must come round.</summary>
    private static string Cycle(SortedSet<string> waiting, IReadOnlyDictionary<string, IReadOnlyList<string>> dependencies)
    {
        var path = new List<string>();
        var at = waiting.Min!;
        while (!path.Contains(at))
        {
            path.Add(at);
            at = dependencies[at].Where(waiting.Contains).Order(StringComparer.Ordinal).First();
        }

        return string.Join(" -> ", [.. path.Skip(path.IndexOf(at)), at]);
    }
}
