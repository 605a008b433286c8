using System.Globalization;

namespace PlatformOps.Platform.Scaling;

/// <summary>A managed database whose class somebody wants to change, as RDS tells of it.</summary>
/// <param name="Status">RDS's word: <c>available</c>, <c>modifying</c>, ...</param>
/// <param name="Pending">Fields that RDS was told to change and has not yet, such as <c>instanceClass</c>; empty: none.</param>
/// <param name="PendingClass">The class that it is on its way to; null: none.</param>
/// <param name="Standby">There is one in another zone that takes over meanwhile (Multi-AZ).</param>
/// <param name="Offered">Whether RDS has the wanted class for this engine and version in the region; null: it could not be found out.</param>
/// <param name="Failover">The failover of the environment that is under way, and what it is doing; null: none is.</param>
/// <param name="Connections">Who opens how many connections to it, with the most that the specification declares; null: nobody that is known.</param>
public sealed record ObservedDatabaseClass(
    string Identifier, string Engine, string EngineVersion, string Status, string Class, IReadOnlyList<string> Pending, string? PendingClass, bool Standby, bool? Offered, string? Failover, ConnectionBudget? Connections)
{
    /// <summary>What it copies; null: nothing.</summary>
    public CopiedDatabase? Source { get; init; }

    /// <summary>What copies it.</summary>
    public IReadOnlyList<CopiedDatabase> Replicas { get; init; } = [];
}

/// <summary>The other end of a replication.</summary>
/// <param name="Name">With its region.</param>
/// <param name="Class">Null: it could not be seen, or is about to be another one.</param>
public sealed record CopiedDatabase(string Name, string? Class);

/// <summary>What becomes of the class of a managed database, and why.</summary>
/// <param name="Verdict">Scale: it is changed. Wait: it is so already, or on its way. Refuse: it must not be.</param>
/// <param name="Why">One sentence for an operator, with the downtime where there is one.</param>
public sealed record DatabaseClassDecision(ScalingVerdict Verdict, string? From, string To, string Why);

/// <summary>Whether the class of a managed database may be changed. The same facts give the same answer; what is unknown refuses.</summary>
/// <remarks>Engine, version and storage are not touched.</remarks>
public static class DatabaseClassRules
{
    /// <param name="allowed">The classes that the specification lets scaling choose; null: it names none.</param>
    /// <param name="seen">Null: there is no such instance.</param>
    /// <param name="atOnce">False: in the maintenance window.</param>
    public static DatabaseClassDecision Decide(string component, IReadOnlyList<string>? allowed, ObservedDatabaseClass? seen, string wanted, bool atOnce)
    {
        if (allowed is null)
            return Refuse($"The specification names no classes for {component}, so that only the specification changes its class. State scaling.{component}.classes.");
        if (!allowed.Contains(wanted))
            return Refuse($"{wanted} is none of the classes that the specification lets {component} have (scaling.{component}.classes): {string.Join(", ", allowed)}.");
        if (seen is null)
            return Refuse($"{component} has no database instance in RDS. Provision it first.");
        if (InTheMiddle(seen) is { } failover)
            return Refuse(failover);
        if (seen.PendingClass == wanted)
            return new(ScalingVerdict.Wait, seen.Class, wanted, $"RDS was told already to make {seen.Identifier} {wanted}.");
        if (Both(seen) is { } both)
            return Refuse(both);
        if (seen.Status != "available")
            return Refuse($"{seen.Identifier} is {seen.Status}, and not available. Wait until it is.");
        if (seen.Class == wanted)
            return new(ScalingVerdict.Wait, wanted, wanted, $"{seen.Identifier} is {wanted} already.");
        if (seen.Offered is not true)
            return Refuse(seen.Offered is null
                ? $"Whether RDS has {wanted} for {seen.Engine} {seen.EngineVersion} in this region could not be found out."
                : $"RDS has no {wanted} for {seen.Engine} {seen.EngineVersion} in this region.");
        var (before, after) = (DatabaseClasses.Connections(seen.Class), DatabaseClasses.Connections(wanted));
        if (after is not { } most)
            return Refuse($"How many connections {wanted} accepts is not known here, so that nobody can say whether the pools fit. Change the specification, then provision.");
        if (Harm(seen, wanted) is { } harm)
            return Refuse(harm);
        return new(
            ScalingVerdict.Scale, seen.Class, wanted,
            $"{wanted} instead of {seen.Class}: max_connections from {Word(before)} to {Word(most)}{(seen.Connections is { } known ? $", of which the pools may open {Word(known.Pools.Sum(pool => pool.All))}" : "")}. {Downtime(seen.Standby, atOnce)} Engine, version and storage stay.");

        DatabaseClassDecision Refuse(string why) => new(ScalingVerdict.Refuse, seen?.Class, wanted, why);
    }

    /// <summary>What another class would break by now, also one of before that comes back; null: nothing that is known.</summary>
    public static string? Harm(ObservedDatabaseClass seen, string wanted)
    {
        if ((InTheMiddle(seen) ?? Both(seen)) is { } now)
            return now;
        if (DatabaseClasses.Connections(wanted) is not { } most)
            return null;
        var before = DatabaseClasses.Connections(seen.Class);
        // PostgreSQL stops copying where fewer connections are accepted than at the source (https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN), and nobody notices before the replica is needed.
        if (before is null || most > before)
        {
            foreach (var replica in seen.Replicas)
            {
                if (replica.Class is null || !(DatabaseClasses.Connections(replica.Class) >= most))
                    return $"{replica.Name} copies {seen.Identifier} and {Accepts(replica)}, where {wanted} accepts {Word(most)}: PostgreSQL stops copying where fewer are accepted than at the source. Give the replica its larger class first.";
            }
        }

        if (before is not null && most >= before)
            return null;
        if (seen.Source is { } source && (source.Class is null || !(DatabaseClasses.Connections(source.Class) <= most)))
            return $"{seen.Identifier} copies {source.Name}, which {Accepts(source)}, where {wanted} accepts {Word(most)}: PostgreSQL stops copying where fewer are accepted than at the source. Give the source its smaller class first.";
        // A larger class makes nothing worse, whatever did not fit before.
        return seen.Connections is { } pools && TooMany(pools, most) is { } exceeded ? $"With {wanted} {exceeded}. Have fewer replicas or smaller pools first." : null;
    }

    private static string? InTheMiddle(ObservedDatabaseClass seen) => seen.Failover is { } failover
        ? $"{failover} A failover is under way, and a restart in the middle of it might take the last primary away. Wait until it has ended."
        : null;

    private static string? Both(ObservedDatabaseClass seen) => seen.Pending.Count > 0
        ? $"RDS has still to change {string.Join(", ", seen.Pending)} of {seen.Identifier}, and would do both at once. Wait until it has, or take that back."
        : null;

    private static string Accepts(CopiedDatabase other) => other.Class is null ? "has a class that could not be seen, or is about to change" : $"is {other.Class} and accepts {Word(DatabaseClasses.Connections(other.Class))} connections";

    /// <summary>What clients notice (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html).</summary>
    private static string Downtime(bool standby, bool atOnce) =>
        $"RDS begins {(atOnce ? "at once" : "in the maintenance window, not now")}, and {(standby ? "fails over to the standby: clients wait for about a minute or two" : "restarts the instance, which has no standby: clients wait for minutes")}.";

    private static string? TooMany(ConnectionBudget pools, int most) => ScalingGuards.Exceeded(pools with { Limit = Math.Min(pools.Limit ?? most, most) });

    private static string Word(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "unknown";
}
