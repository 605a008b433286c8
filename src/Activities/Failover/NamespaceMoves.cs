using System.Globalization;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Failover;

/// <summary>The Temporal namespaces that go with a database: handed over by the server when the change of places was planned, else made active where the database is, whatever the other side says.</summary>
/// <param name="time">The clock of every bound.</param>
internal sealed class NamespaceMoves(FailoverOrder order, FailoverAccess access, TemporalCluster from, TemporalCluster to, TimeProvider time)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    /// <summary>Who only watches looks at all of them, and is in no hurry.</summary>
    private static readonly TimeSpan BetweenWatches = TimeSpan.FromMilliseconds(500);

    private readonly ActiveCluster oldSide = new(from), newSide = new(to);
    private readonly ServerHandover server = new(from);

    private string From => access.Nodes.GetValueOrDefault(order.From)?.TemporalCluster ?? order.From;

    private string To => access.Nodes.GetValueOrDefault(order.To)?.TemporalCluster ?? order.To;

    private TimeSpan Bound => TimeSpan.FromSeconds(access.HandoverSeconds);

    /// <summary>For the other cluster to get nearly everything, before anything is closed: the namespace serves meanwhile, in the region that the database has left. Two minutes by default.</summary>
    private TimeSpan CatchUpWithin => Bound * 4;

    /// <summary>Moves all of them, one after the other.</summary>
    /// <param name="known">What whoever began this had seen.</param>
    /// <param name="seen">Told what is seen, again and again.</param>
    public async Task<FailoverStepResult> MoveAsync(IReadOnlyDictionary<string, HandoverSight>? known, Action<IReadOnlyDictionary<string, HandoverSight>> seen, CancellationToken ct)
    {
        if (access.TemporalNamespaces.Count == 0)
            return new("No namespace goes with the database.");
        var sights = new Dictionary<string, HandoverSight>(known ?? new Dictionary<string, HandoverSight>());
        var moved = new List<MovedNamespace>();
        foreach (var space in access.TemporalNamespaces)
        {
            await RequireReplicatedAsync(space, ct);
            moved.Add(order.Kind == FailoverKind.Failover ? await ForceAsync(space, ct) : await HandOverAsync(space, sights, seen, ct));
        }

        var agreement = order.Kind == FailoverKind.Failover ? await AgreementAsync(moved, ct) : $"{order.From} agrees.";
        return new($"{string.Join(", ", moved.Select(InWords))} active in {To}. {agreement}") { Namespaces = moved };
    }

    /// <summary>Watches until every handover has ended, on the old or on the new side, and sees to it that it does.</summary>
    /// <param name="quiet">For how long nothing may have been under way for this to end.</param>
    public async Task<IReadOnlyDictionary<string, HandoverSight>> GuardAsync(
        IReadOnlyDictionary<string, HandoverSight>? known, TimeSpan quiet, Action<IReadOnlyDictionary<string, HandoverSight>> seen, CancellationToken ct)
    {
        var sights = access.TemporalNamespaces.ToDictionary(space => space, space => known?.GetValueOrDefault(space) ?? new());
        long? settledAt = null;
        while (true)
        {
            var looks = await Task.WhenAll(access.TemporalNamespaces.Select(async space => (Space: space, Found: await LookAsync(space, sights[space], ct))));
            foreach (var (space, (_, sight)) in looks)
                sights[space] = sight;
            seen(new Dictionary<string, HandoverSight>(sights));
            settledAt = looks.All(look => look.Found.Decision is HandoverDecision.Moved or HandoverDecision.Stayed) ? settledAt ?? time.GetTimestamp() : null;
            if (settledAt is { } since && time.GetElapsedTime(since) >= quiet)
                return sights;
            await Task.Delay(BetweenWatches, time, ct);
        }
    }

    private async Task<MovedNamespace> HandOverAsync(string space, Dictionary<string, HandoverSight> sights, Action<IReadOnlyDictionary<string, HandoverSight>> seen, CancellationToken ct)
    {
        var begun = false;
        var started = time.GetTimestamp();
        while (true)
        {
            var (decision, sight) = await LookAsync(space, sights.GetValueOrDefault(space) ?? new(), ct);
            sights[space] = sight;
            seen(new Dictionary<string, HandoverSight>(sights));
            switch (decision)
            {
                case HandoverDecision.Moved moved:
                    return new(space, To, moved.FailoverVersion, sight.ShutSeconds);
                case HandoverDecision.Stayed when begun:
                    throw Failed(space, $"its handover {await server.HowEndedAsync(space, ct)}", decision, sight);
                case HandoverDecision.Stayed:
                    await server.StartAsync(space, To, HandoverRules.ServerTimeout(Bound), ct);
                    begun = true;
                    break;
                case HandoverDecision.Wait when sight.ShutSince is null && time.GetElapsedTime(started) > CatchUpWithin:
                    await server.StopAsync(space, "It has taken too long to begin.", ct);
                    throw Failed(space, $"nothing has come of it for {CatchUpWithin.TotalSeconds:0} s", decision, sight);
                default:
                    break;
            }

            await Task.Delay(BetweenLooks, time, ct);
        }
    }

    /// <summary>Looks at one namespace in both clusters, and does about it what has to be done. What did not succeed is decided anew at the next look.</summary>
    private async Task<(HandoverDecision Decision, HandoverSight Sight)> LookAsync(string space, HandoverSight known, CancellationToken ct)
    {
        // First the run: of one that had ended everything is to be seen afterwards.
        var run = await server.FindAsync(space, ct);
        var both = await Task.WhenAll(FailoverSurroundings.TryReadAsync(oldSide, space, ct), FailoverSurroundings.TryReadAsync(newSide, space, ct));
        var now = time.GetUtcNow();
        var sight = known.See(From, To, both[0], both[1], now);
        var decision = HandoverRules.Decide(new()
        {
            From = From,
            To = To,
            Old = both[0],
            New = both[1],
            Run = run,
            ShutFor = now - sight.ShutSince,
            ApartFor = now - sight.ApartSince,
            Bound = Bound,
        });
        try
        {
            if (decision is HandoverDecision.StopRun)
                await server.StopAsync(space, decision.Reason, ct);
            else if (decision is HandoverDecision.Open { At: var closed })
                await (closed == From ? oldSide : newSide).LeaveHandoverAsync(space, ct);
            else if (decision is HandoverDecision.Activate { At: var at, Cluster: var cluster })
                await (at == From ? oldSide : newSide).ActivateAsync(space, cluster, ct);
            else
                return (decision, sight);
            return (decision, sight.Did(decision.Reason));
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return (decision, sight);
        }
    }

    /// <summary>Made active there, asked there; one that a handover has left closed there is opened after the bound.</summary>
    private async Task<MovedNamespace> ForceAsync(string space, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        ActiveNamespace now;
        while ((now = await newSide.ReadAsync(space, ct)).Closed)
        {
            // Somebody's handover may be about to end; what has died in the middle never does.
            if (time.GetElapsedTime(started) > Bound)
                await newSide.LeaveHandoverAsync(space, ct);
            await Task.Delay(BetweenLooks, time, ct);
        }

        if (now.Cluster != To)
            await newSide.ActivateAsync(space, To, ct);
        now = await newSide.ReadAsync(space, ct);
        return now.Cluster == To && !now.Closed ? new(space, To, now.FailoverVersion, null)
            : throw new AdapterException(AdapterFailureKind.Unavailable, $"Namespace {space} is still {(now.Closed ? "in handover" : $"active in {now.Cluster}, not in {To}")}.");
    }

    private async Task RequireReplicatedAsync(string space, CancellationToken ct)
    {
        var here = await newSide.ReadAsync(space, ct);
        if (here.Clusters.Count > 0 && !here.Clusters.Contains(To))
            throw new AdapterException(AdapterFailureKind.Rejected, $"Namespace {space} is not replicated to {To}, only to {string.Join(", ", here.Clusters)}. Add the cluster, or take the namespace out of failover.{order.Environment}.temporalNamespaces.");
        if (order.Kind != FailoverKind.Failover && here.Cluster != From && here.Cluster != To)
            throw new AdapterException(AdapterFailureKind.Rejected, $"Namespace {space} is active in {here.Cluster}, neither in {From} nor in {To}: nothing is handed over from there. Make it active in {To} by hand.");
    }

    /// <summary>Asks the old side after a failover, in which it need not agree: it may be gone.</summary>
    private async Task<string> AgreementAsync(IReadOnlyList<MovedNamespace> moved, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        foreach (var here in moved)
        {
            while (true)
            {
                if (await TryAskAsync(here.Name, ct) is not { } there)
                    return $"{order.From} does not answer.";
                if ((there.Cluster, there.FailoverVersion) == (To, here.FailoverVersion))
                    break;
                if (time.GetElapsedTime(started) >= HandoverRules.AgreeWithin)
                    return $"{order.From} still says {there.Cluster} (failover version {there.FailoverVersion}) of {here.Name}; it takes over what was changed when it replicates.";
                await Task.Delay(BetweenLooks, time, ct);
            }
        }

        return $"{order.From} agrees.";
    }

    private async Task<ActiveNamespace?> TryAskAsync(string space, CancellationToken ct)
    {
        try
        {
            return await oldSide.ReadAsync(space, ct);
        }
        catch (AdapterException)
        {
            return null;
        }
    }

    private static string InWords(MovedNamespace moved) => moved.ClosedSeconds is { } closed
        ? string.Create(CultureInfo.InvariantCulture, $"{moved.Name} (failover version {moved.FailoverVersion}, closed for {closed:0.0} s)") : $"{moved.Name} (failover version {moved.FailoverVersion})";

    /// <summary>Not tried again by itself: each attempt may close the namespace for a while.</summary>
    private ApplicationFailureException Failed(string space, string what, HandoverDecision found, HandoverSight sight) => new(
        string.Create(CultureInfo.InvariantCulture, $"Namespace {space} was not handed over: {what}. {found.Reason} Nobody served it for {sight.ShutSeconds:0.0} s.{(sight.Done is null ? "" : $" {sight.Done}")} See that the worker role of {order.From}'s Temporal runs and that {order.To} replicates; then retryStep, or skipStep to leave it where it is."),
        FailureTypes.Unhealthy, nonRetryable: true);
}
