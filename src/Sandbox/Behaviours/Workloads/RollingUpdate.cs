using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>One generation of a Deployment's pods.</summary>
/// <param name="Wanted">Pods it was told to have.</param>
/// <param name="Available">Pods of it that serve.</param>
internal sealed record Generation(string Name, int Wanted, int Available);

/// <summary>
/// How many pods each generation should have next. Invariants: never more than replicas + surge pods are asked for, and no available pod is
/// given up while fewer than replicas - unavailable others would remain. Pure: called again after every change until nothing changes.
/// </summary>
internal static class RollingUpdate
{
    /// <param name="old">Older generations, oldest first.</param>
    /// <returns>The generations whose number should change.</returns>
    public static IReadOnlyDictionary<string, int> Next(int replicas, int surge, int unavailable, Generation current, IReadOnlyList<Generation> old)
    {
        var next = new Dictionary<string, int>();
        var total = current.Wanted + old.Sum(generation => generation.Wanted);
        if (current.Wanted > replicas)
            next[current.Name] = replicas;
        else if (current.Wanted < replicas && total < replicas + surge)
            next[current.Name] = current.Wanted + Math.Min(replicas - current.Wanted, replicas + surge - total);
        if (next.Count > 0)
            return next;

        // What the new generation still owes counts against what the old ones may give up.
        var givable = total - (replicas - unavailable) - Math.Max(0, current.Wanted - current.Available);
        if (givable <= 0)
            return next;
        var wanted = old.ToDictionary(generation => generation.Name, generation => generation.Wanted);
        // Pods that do not serve go first: nobody misses them.
        foreach (var generation in old)
        {
            var idle = Math.Min(givable, generation.Wanted - Math.Min(generation.Wanted, generation.Available));
            wanted[generation.Name] -= idle;
            givable -= idle;
        }
        var spare = old.Append(current).Sum(generation => Math.Min(generation.Wanted, generation.Available)) - (replicas - unavailable);
        foreach (var generation in old)
        {
            var down = Math.Max(0, Math.Min(spare, wanted[generation.Name]));
            wanted[generation.Name] -= down;
            spare -= down;
        }
        foreach (var generation in old.Where(generation => wanted[generation.Name] != generation.Wanted))
            next[generation.Name] = wanted[generation.Name];
        return next;
    }

    /// <summary>A number or percentage of replicas. When both round to none, one pod may be unavailable, or nothing could move.</summary>
    public static (int Surge, int Unavailable) Limits(int replicas, JsonNode? maxSurge, JsonNode? maxUnavailable)
    {
        var surge = Resolve(replicas, maxSurge, up: true);
        var unavailable = Math.Min(replicas, Resolve(replicas, maxUnavailable, up: false));
        return surge == 0 && unavailable == 0 ? (0, 1) : (surge, unavailable);
    }

    /// <summary>The number that a count or percentage means; a missing one means 25 %.</summary>
    public static int Resolve(int replicas, JsonNode? value, bool up)
    {
        var text = value is null ? "25%" : value.ToString();
        if (!text.EndsWith('%'))
            return int.Parse(text, CultureInfo.InvariantCulture);
        var exact = replicas * double.Parse(text[..^1], CultureInfo.InvariantCulture) / 100;
        return (int)(up ? Math.Ceiling(exact) : Math.Floor(exact));
    }
}
