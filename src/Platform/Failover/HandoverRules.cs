using System.Globalization;

namespace PlatformOps.Platform.Failover;

/// <summary>How a namespace's handover is watched: it ends on the old or on the new side, and is never closed for longer than its bound, whatever became of the server's workflow and of whoever
/// drove it. Everything that is asked for can be asked for twice, and by two who watch at once.</summary>
public static class HandoverRules
{
    /// <summary>The part of the bound after which the server's workflow is ended. A call of it that is under way then has its ten seconds by default, and they are over at the bound: nothing that it
    /// began moves a namespace that was opened.</summary>
    private const double StopAfter = 2.0 / 3;

    /// <summary>The server accepts no more.</summary>
    private static readonly TimeSpan LongestServerTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How long replication may take to tell one cluster what the other says.</summary>
    public static TimeSpan AgreeWithin { get; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the server's workflow may keep the namespace closed before it opens it by itself: a third of the bound.</summary>
    public static TimeSpan ServerTimeout(TimeSpan bound) => TimeSpan.FromSeconds(Math.Clamp(Math.Floor(bound.TotalSeconds / 3), 1, LongestServerTimeout.TotalSeconds));

    /// <summary>What the handover came to, or what has to be done about it now.</summary>
    public static HandoverDecision Decide(HandoverFacts facts) => facts switch
    {
        { Old.Closed: true } => Closed(facts, facts.From, facts.Old!, facts.New),
        { New.Closed: true } => Closed(facts, facts.To, facts.New!, facts.Old),
        { Old: null } or { New: null } => new HandoverDecision.Wait($"{(facts.Old is null ? facts.From : facts.To)} does not answer, and only both together say where it is active."),
        { Old: { } old, New: { } next } when old.Cluster != next.Cluster => Apart(facts, old, next),
        { Old: { } old, New: { } next } when old.FailoverVersion != next.FailoverVersion =>
            new HandoverDecision.Wait($"Both say {old.Cluster}, {facts.From} since failover version {old.FailoverVersion} and {facts.To} since {next.FailoverVersion}. See that both replicate."),
        { New: { } next } when next.Cluster == facts.To => new HandoverDecision.Moved(next.FailoverVersion, $"Both say that it is active in {facts.To} since failover version {next.FailoverVersion}."),
        { Run: HandoverRun.None } => new HandoverDecision.Stayed($"Both say that it is active in {facts.New!.Cluster} since failover version {facts.New.FailoverVersion}, and no handover is under way."),
        { Run: HandoverRun.Running } => new HandoverDecision.Wait($"{facts.To} catches up; {facts.From} serves."),
        _ => new HandoverDecision.Wait($"{facts.From} does not say whether its handover goes on."),
    };

    private static HandoverDecision Closed(HandoverFacts facts, string at, ActiveNamespace closed, ActiveNamespace? other) => facts switch
    {
        // Somebody has made it active elsewhere by force meanwhile. To open it here would make two active.
        _ when other is { Closed: false } && other.FailoverVersion > closed.FailoverVersion =>
            new HandoverDecision.Activate(at, other.Cluster, $"{at} had closed it, and it is active in {other.Cluster} since failover version {other.FailoverVersion}: {at} is told so."),
        // The handover came too late: it is active on the other side already, which serves.
        _ when other is { Closed: false } && other.Cluster == closed.Cluster && closed.Cluster == (at == facts.From ? facts.To : facts.From) =>
            new HandoverDecision.Open(at, $"{at} has closed it although it is active in {closed.Cluster} already: it is opened."),
        _ when facts.ShutFor >= facts.Bound => new HandoverDecision.Open(at, $"{at} had kept it closed for {Seconds(facts.ShutFor)}: it is opened where it was."),
        { Run: HandoverRun.Running } when facts.ShutFor >= facts.Bound * StopAfter =>
            new HandoverDecision.StopRun($"The handover has kept it closed for {Seconds(facts.ShutFor)} of {Seconds(facts.Bound)}: the server's workflow is ended."),
        _ => new HandoverDecision.Wait($"{at} has it closed for its handover."),
    };

    /// <summary>The one that has seen the later failover is right. While the other one does not know, nobody serves it, or both do.</summary>
    private static HandoverDecision Apart(HandoverFacts facts, ActiveNamespace old, ActiveNamespace next)
    {
        var (ahead, at) = old.FailoverVersion > next.FailoverVersion ? (old, facts.To) : (next, facts.From);
        var apart = $"{facts.From} says {old.Cluster} (failover version {old.FailoverVersion}), {facts.To} says {next.Cluster} ({next.FailoverVersion})";
        return old.FailoverVersion == next.FailoverVersion ? new HandoverDecision.Wait($"{apart}: that cannot be. See what changed one of them alone.")
            : facts.ApartFor >= AgreeWithin ? new HandoverDecision.Activate(at, ahead.Cluster, $"{apart} for {Seconds(facts.ApartFor)}: {at} is told that it is {ahead.Cluster}.")
            : new HandoverDecision.Wait($"{apart}: replication carries it over.");
    }

    private static string Seconds(TimeSpan? time) => string.Create(CultureInfo.InvariantCulture, $"{time?.TotalSeconds ?? 0:0.0} s");
}

/// <summary>What a handover came to, or what is to be done about it.</summary>
/// <param name="Reason">For people.</param>
public abstract record HandoverDecision(string Reason)
{
    /// <summary>It has ended: the new cluster serves.</summary>
    public sealed record Moved(long FailoverVersion, string Reason) : HandoverDecision(Reason);

    /// <summary>It has ended, or has not begun: the old cluster serves.</summary>
    public sealed record Stayed(string Reason) : HandoverDecision(Reason);

    /// <summary>It goes on, or nobody can tell.</summary>
    public sealed record Wait(string Reason) : HandoverDecision(Reason);

    /// <summary>The server's workflow is ended, so that it neither closes nor moves it any more.</summary>
    public sealed record StopRun(string Reason) : HandoverDecision(Reason);

    /// <summary>It is opened in the cluster that has it closed; where it is active stays as it is.</summary>
    public sealed record Open(string At, string Reason) : HandoverDecision(Reason);

    /// <summary>A cluster is told where it is active, which opens it too.</summary>
    public sealed record Activate(string At, string Cluster, string Reason) : HandoverDecision(Reason);
}
