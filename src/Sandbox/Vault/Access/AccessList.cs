namespace PlatformOps.Sandbox.Vault.Access;

/// <summary>What several policies together allow. For each path the most specific pattern decides alone; equal patterns of several policies add up, and
/// <c>deny</c> wins.</summary>
internal sealed class AccessList
{
    private static readonly IReadOnlySet<string> Nothing = new HashSet<string>();

    private readonly Dictionary<string, HashSet<string>> rules = new(StringComparer.Ordinal);
    private readonly bool root;

    public AccessList(IEnumerable<PolicyRule> all, bool root = false)
    {
        this.root = root;
        foreach (var rule in all)
        {
            if (!rules.TryGetValue(rule.Pattern, out var known))
                rules[rule.Pattern] = known = [];
            known.UnionWith(rule.Capabilities);
        }
    }

    /// <summary>As <c>capabilities-self</c> names them.</summary>
    public IReadOnlyList<string> Capabilities(string path)
    {
        if (root)
            return ["root"];
        var found = Find(path);
        return found.Count == 0 || found.Contains("deny") ? ["deny"] : [.. found.Order(StringComparer.Ordinal)];
    }

    public bool Allows(string path, string capability)
    {
        if (root)
            return true;
        var found = Find(path);
        // A list of "folder/" may also be allowed as "folder".
        if (found.Count == 0 && capability == "list")
            found = Find(path.TrimEnd('/'));
        return !found.Contains("deny") && found.Contains(capability);
    }

    private IReadOnlySet<string> Find(string path)
    {
        if (rules.TryGetValue(path, out var exact))
            return exact;
        var matching = rules.Where(rule => Matches(rule.Key, path)).ToList();
        return matching.Count == 0 ? Nothing : matching.Aggregate((best, next) => IsLess(best.Key, next.Key) ? next : best).Value;
    }

    private static bool Matches(string pattern, string path)
    {
        var open = pattern.EndsWith('*');
        var (wanted, given) = ((open ? pattern[..^1] : pattern).Split('/'), path.Split('/'));
        if (open ? given.Length < wanted.Length : given.Length != wanted.Length)
            return false;
        for (var index = 0; index < wanted.Length; index++)
        {
            var last = open && index == wanted.Length - 1;
            var fits = wanted[index] == "+" || (last ? given[index].StartsWith(wanted[index], StringComparison.Ordinal) : wanted[index] == given[index]);
            if (!fits)
                return false;
        }

        return true;
    }

    /// <summary>The documented order: whichever has its first wildcard earlier, ends in a star, has more plus signs, is shorter, or sorts first is of
    /// lower priority.</summary>
    private static bool IsLess(string one, string other)
    {
        var (first, second) = (FirstWildcard(one), FirstWildcard(other));
        if (first != second)
            return first < second;
        if (one.EndsWith('*') != other.EndsWith('*'))
            return one.EndsWith('*');
        var (plusOne, plusOther) = (one.Split('/').Count(part => part == "+"), other.Split('/').Count(part => part == "+"));
        if (plusOne != plusOther)
            return plusOne > plusOther;
        return one.Length != other.Length ? one.Length < other.Length : string.CompareOrdinal(one, other) < 0;
    }

    private static int FirstWildcard(string pattern)
    {
        var plus = $"/{pattern}/".IndexOf("/+/", StringComparison.Ordinal);
        var star = pattern.EndsWith('*') ? pattern.Length - 1 : int.MaxValue;
        return Math.Min(plus < 0 ? int.MaxValue : plus, star);
    }
}
