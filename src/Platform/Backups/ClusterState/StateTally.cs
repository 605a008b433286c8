using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>Counts what a restore would do object by object, and makes a plan of it that people can read however large the cluster is.</summary>
public sealed class StateTally
{
    /// <summary>What is replaced is named one by one: nobody reads more.</summary>
    public const int MostOverwrites = 150;

    /// <summary>How much of everything else is named.</summary>
    private const int Shown = 40;

    private const int FieldsShown = 3;

    private readonly List<PlannedKind> kinds = [];
    private readonly List<string> created = [], kept = [], left = [], secrets = [], bindings = [], newer = [];
    private readonly List<PlannedOverwrite> overwrites = [];

    /// <summary>Objects that came after the restore had begun and are not as in the archive, a sentence each: admission or somebody has changed them.</summary>
    public IReadOnlyList<string> Newer => newer;

    /// <summary>Objects that would still be made or replaced, a sentence each.</summary>
    public IReadOnlyList<string> Undone => [.. created.Select(name => $"{name} is not there."), .. overwrites.Select(overwrite => $"{overwrite.Object} differs: {overwrite.Fields}.")];

    public int Same => kinds.Sum(kind => kind.Same);

    public int Kept => kinds.Sum(kind => kind.Keep);

    public int Left => kinds.Sum(kind => kind.Leave);

    /// <summary>Adds a decision; those of a kind come one after the other.</summary>
    /// <param name="kind">As archives call it.</param>
    /// <param name="was">A seal over what is there, for what is replaced.</param>
    /// <param name="isNewer">Whether what is there came after the restore had begun.</param>
    public void Add(string kind, ResourceAddress address, RestoreDecision decision, string was, bool isNewer)
    {
        if (kinds.Count == 0 || kinds[^1].Kind != kind)
            kinds.Add(new(kind, 0, 0, 0, 0, 0));
        var counted = kinds[^1];
        switch (decision.Action)
        {
            case RestoreAction.Create:
                counted = counted with { Create = counted.Create + 1 };
                created.Add($"{address}");
                if (address is { ApiVersion: "v1", Kind: "Secret" })
                    secrets.Add($"{address.Namespace}/{address.Name}");
                else if (address.Kind is "RoleBinding" or "ClusterRoleBinding")
                    bindings.Add(address.Namespace is null ? address.Name : $"{address.Namespace}/{address.Name}");
                break;
            case RestoreAction.Overwrite:
                counted = counted with { Overwrite = counted.Overwrite + 1 };
                overwrites.Add(new($"{address}", was, Fields(decision)));
                break;
            case RestoreAction.Keep:
                counted = counted with { Keep = counted.Keep + 1 };
                Some(kept, $"{decision.Reason} ({Fields(decision)})");
                if (isNewer)
                    Some(newer, $"{address} was made since and differs: {Fields(decision)}.");
                break;
            case RestoreAction.Leave:
                counted = counted with { Leave = counted.Leave + 1 };
                Some(left, decision.Reason);
                break;
            default:
                counted = counted with { Same = counted.Same + 1 };
                break;
        }

        kinds[^1] = counted;
    }

    /// <summary>The plan; null with why not.</summary>
    /// <param name="about">What the plan says besides.</param>
    public (StateRestorePlan? Plan, string? Refusal) Plan(StateRestorePlan about)
    {
        if (overwrites.Count > MostOverwrites)
            return (null, $"{overwrites.Count} objects would be overwritten, more than anybody reads: at most {MostOverwrites} at once. Name namespaces, or restore without overwrite and look at what is kept.");
        return (about with
        {
            Kinds = kinds,
            Overwrites = overwrites,
            Kept = kept,
            Left = left,
            Created = CanonicalJson.Digest(string.Join('\n', created.Order(StringComparer.Ordinal))),
            Notes =
            [
                .. about.Notes,
                .. secrets.Count > 0 ? [$"{secrets.Count} Secrets come back with the values of {about.At:u}. Nobody is known who brings newer ones: rotate again what was rotated since. {Some(secrets)}"] : Array.Empty<string>(),
                .. bindings.Count > 0 ? [$"{bindings.Count} bindings of roles come back: whoever was taken out of them since is in them again. {Some(bindings)}"] : Array.Empty<string>(),
            ],
        }, null);
    }

    private static void Some(List<string> list, string sentence)
    {
        if (list.Count < Shown)
            list.Add(sentence);
    }

    private static string Some(List<string> names) => $"{string.Join(", ", names.Take(Shown))}{(names.Count > Shown ? $" and {names.Count - Shown} more" : "")}.";

    private static string Fields(RestoreDecision decision)
    {
        var paths = decision.Differences.Select(difference => difference.Path).OfType<string>().ToList();
        return $"{string.Join(", ", paths.Take(FieldsShown))}{(paths.Count > FieldsShown ? $" and {paths.Count - FieldsShown} more" : "")}";
    }
}
