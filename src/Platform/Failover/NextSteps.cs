namespace PlatformOps.Platform.Failover;

/// <summary>What is left to do of a change of places whose run, history and Temporal cluster are lost: found in the world alone. Never a second epoch: one that was claimed belongs to the node that it names, and
/// whoever goes on promotes that one in it.</summary>
public static class NextSteps
{
    /// <summary>In order; empty: nothing is left.</summary>
    public static IReadOnlyList<NextStep> Of(FailoverWorld world) => world switch
    {
        { Witness: null } => [new(null, NextActor.People, "The witness does not answer.",
            "Bring it back, or the way to it, and look again. Promote nobody by hand meanwhile: nobody can claim an epoch, and only the witness says whose the last one is.")],
        { Witness.Record: null } => [new(null, NextActor.People, "The witness keeps nothing: no node has ever been primary here, or it was emptied.",
            "When it is new, start the guards. When it was emptied, do not: restore its record first, or an epoch is given twice.")],
        { Witness.Record: var record } => [.. Roles(world, record), .. record.Lease is { Released: false } && world.Nodes.GetValueOrDefault(record.Primary) is { Writable: true } primary ? Rest(world, record, primary) : [], .. world.Namespaces.SelectMany(Of)],
    };

    /// <summary>Where a namespace is active is no finding: a failover of the database alone leaves it where it was. That nobody serves it is one, or that two do: whoever watched over its handover is lost too.</summary>
    private static IEnumerable<NextStep> Of(NamespaceSight space)
    {
        foreach (var (region, said) in space.Said.Where(said => said.Value is { Closed: true }))
        {
            yield return new(FailoverStep.Namespaces, NextActor.People, $"Temporal namespace {space.Name} is in handover in {region}: nobody serves it, and nobody watches over that any more.",
                $"When workflow platformops-handover-{space.Name} in temporal-system of {region} has ended, or does not end within seconds (then terminate it), open it there: temporal operator namespace update --namespace {space.Name} --replication-state normal.");
        }

        if (space.Said.Values.OfType<ActiveNamespace>().Select(said => said.Cluster).Distinct().Count() > 1)
        {
            var latest = space.Said.Where(said => said.Value is not null).MaxBy(said => said.Value!.FailoverVersion);
            yield return new(FailoverStep.Namespaces, NextActor.People, $"The Temporal clusters say different things of namespace {space.Name}: {string.Join(", ", space.Said.Where(said => said.Value is not null).Select(said => $"{said.Key} that it is active in {said.Value!.Cluster} (failover version {said.Value.FailoverVersion})"))}.",
                $"The higher version is right, and the other side takes it over when it replicates. When it does not: temporal operator namespace update --namespace {space.Name} --active-cluster {latest.Value!.Cluster}, there.");
        }
    }

    private static IEnumerable<NextStep> Roles(FailoverWorld world, WitnessRecord record)
    {
        var (epoch, primary) = (record.Epoch, record.Primary);
        if (world.Nodes.FirstOrDefault(node => node.Key != primary && node.Value is { Writable: true }) is { Key: { } other })
        {
            yield return record.Lease is null
                ? new(FailoverStep.Fence, NextActor.Run, $"{other} still lets clients write in an older epoch than {epoch}, until its lease ends.", $"Nobody has to: {primary} is not promoted before that lease has ended.")
                : new(FailoverStep.Fence, NextActor.People, $"{other} says that it is writable, and epoch {epoch} is {primary}'s: two nodes may take writes.", $"Close {other} now: stop its guard and its server, or the operator's equivalent. Then look again.");
        }

        var found = world.Nodes.GetValueOrDefault(primary);
        switch (record.Lease)
        {
            case null:
                yield return found is null
                    ? new(FailoverStep.Promote, NextActor.People, $"Epoch {epoch} was claimed for {primary} by {record.OperationId}, and {primary} does not answer. Nobody is writable.",
                        $"Bring {primary} back, or the way to it; then the run promotes it. When it is lost for good, ask the run for failOver with forced: it claims the next epoch for the other node.")
                    : new(FailoverStep.Promote, NextActor.Run, $"Epoch {epoch} was claimed for {primary} by {record.OperationId}, and {primary} has not taken it. Nobody is writable.",
                        $"The run goes on with that claim and promotes {primary} in epoch {epoch}. No further epoch is claimed.");
                break;
            case { Released: true }:
                yield return new(FailoverStep.Claim, NextActor.Run, $"{primary} has given back its lease of epoch {epoch}, and nobody has claimed the next one. Nobody is writable.",
                    $"The run decides by what its observers find: {primary} serves again in epoch {epoch}, or the other node takes its place in epoch {epoch + 1}, which nobody has claimed.");
                break;
            case not null when found is not { Writable: true }:
                yield return new(null, NextActor.Run, $"Epoch {epoch} is {primary}'s, which {(found is null ? "does not answer" : $"says that it is {found.Role} and not writable{(found.Trouble is { } trouble ? $": {trouble.TrimEnd('.')}" : "")}")}.",
                    "The run decides by what its observers find. From here alone it cannot be told whether clients are served.");
                break;
        }
    }

    private static IEnumerable<NextStep> Rest(FailoverWorld world, WitnessRecord record, DatabaseNode primary)
    {
        foreach (var pointer in world.Pointers)
        {
            if (pointer.Epoch is not { } epoch)
                yield return new(FailoverStep.Repoint, NextActor.People, $"Nobody can tell where {pointer.Name} leads.", $"Bring what keeps it back, and look again; it has to lead to {record.Primary}.");
            else if (epoch > record.Epoch)
                yield return new(FailoverStep.Repoint, NextActor.People, $"{pointer.Name} is of epoch {epoch}, and the witness is in epoch {record.Epoch}: the witness was set back.", "Claim nothing. Find out which node is primary since that epoch, and correct the witness's record first.");
            else if (pointer.Node != record.Primary)
                yield return new(FailoverStep.Repoint, NextActor.Run, $"{pointer.Name} leads to {pointer.Node ?? "neither node"} (epoch {epoch}).", $"The run leads it to {record.Primary}.");
        }

        foreach (var (name, node) in world.Nodes.Where(node => node.Key != record.Primary && node.Value is not { Writable: true }))
        {
            if (node is not { Role: NodeRole.Standby, Streaming: true })
                yield return new(FailoverStep.Rebuild, NextActor.Run, $"{name} {(node is null ? "does not answer" : $"is {node.Role} and does not stream")}: there is no standby.", $"The run exports what only {name} has and lets it follow {record.Primary}{(node is null ? ", as soon as it answers" : "")}.");
            else if (world.Synchronous && primary.Synchronous == false)
                yield return new(FailoverStep.Rebuild, NextActor.Run, $"{name} follows, and commits do not wait for it.", "The run lets them wait.");
        }
    }
}

/// <summary>Who does a step that is left.</summary>
public enum NextActor
{
    /// <summary>A run of <c>RegionFailover</c>, at whichever Temporal cluster it is started.</summary>
    Run,

    /// <summary>People: no run may, or can.</summary>
    People,
}

/// <summary>Something that is left to do.</summary>
/// <param name="Step">The step that it is of; null: of none alone.</param>
/// <param name="Found">What was found, as sentences.</param>
/// <param name="Do">What to do, or what is done, as sentences.</param>
public sealed record NextStep(FailoverStep? Step, NextActor Actor, string Found, string Do);
