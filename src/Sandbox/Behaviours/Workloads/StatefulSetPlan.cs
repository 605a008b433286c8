namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>One pod of a StatefulSet.</summary>
/// <param name="IsUpdated">Whether it is of the template as it is now.</param>
/// <param name="IsHealthy">Running, ready and not on its way out.</param>
internal sealed record SetMember(int Ordinal, bool IsUpdated, bool IsHealthy, bool IsDeleting, bool IsFinished);

/// <summary>How a StatefulSet wants its pods.</summary>
/// <param name="Parallel">Creates and deletes without waiting for the others.</param>
/// <param name="OnDelete">Leaves it to the operator to delete pods of an old template.</param>
/// <param name="Partition">Pods below this ordinal stay at the old template.</param>
internal sealed record SetRules(int Replicas, bool Parallel, bool OnDelete, int Partition);

/// <summary>What to do with the pods now: ordinals to create and to delete. Pure.</summary>
internal sealed record StatefulSetPlan(IReadOnlyList<int> Create, IReadOnlyList<int> Delete)
{
    /// <summary>
    /// In order, unless parallel: the next pod is created when all before it are healthy, the highest goes first, and an update replaces
    /// one pod at a time, from the highest ordinal, when all above it are healthy.
    /// </summary>
    public static StatefulSetPlan Next(SetRules rules, IEnumerable<SetMember> members)
    {
        var pods = members.ToDictionary(member => member.Ordinal);
        List<int> create = [], delete = [];
        for (var ordinal = 0; ordinal < rules.Replicas; ordinal++)
        {
            var pod = pods.GetValueOrDefault(ordinal);
            if (pod is null)
                create.Add(ordinal);
            else if (pod is { IsFinished: true, IsDeleting: false })
                delete.Add(ordinal);
            if (!rules.Parallel && pod is not { IsHealthy: true })
                return new(create, delete);
        }
        foreach (var pod in pods.Values.Where(pod => pod.Ordinal >= rules.Replicas).OrderByDescending(pod => pod.Ordinal))
        {
            if (!pod.IsDeleting)
                delete.Add(pod.Ordinal);
            if (!rules.Parallel)
                return new(create, delete);
        }
        if (rules.OnDelete || create.Count > 0 || delete.Count > 0)
            return new(create, delete);
        for (var ordinal = rules.Replicas - 1; ordinal >= rules.Partition; ordinal--)
        {
            var pod = pods[ordinal];
            if (!pod.IsUpdated && !pod.IsDeleting)
                delete.Add(ordinal);
            if (!pod.IsUpdated || !pod.IsHealthy)
                break;
        }
        return new(create, delete);
    }
}
