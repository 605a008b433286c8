namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Why the places change.</summary>
public enum Cause
{
    /// <summary>Guard and server of the primary die at once; the machine comes back.</summary>
    NodeLost,

    /// <summary>The server's first process dies, its guard lives.</summary>
    PostmasterKilled,

    /// <summary>People ask for it.</summary>
    Switchover,

    /// <summary>People ask for it, and abort it when the epoch is claimed.</summary>
    TakenBack,
}

/// <summary>What dies or is cut, from the view of a change of places.</summary>
public enum Victim
{
    Workers,
    WorkersOfOldPrimary,
    WorkersOfNewPrimary,
    BootstrapServer,

    /// <summary>It stands still, and its connections stay open.</summary>
    FrozenBootstrapServer,
    OldPrimary,
    NewPrimary,

    /// <summary>Guard and server stand still.</summary>
    FrozenOldPrimary,
    FrozenNewPrimary,
    WitnessOfOldPrimary,
    WitnessOfNewPrimary,
    BetweenNodes,
    WorkersToOldPrimary,
    WorkersToNewPrimary,
    WorkersToWitness,

    /// <summary>What workers ask has its effect, and they hear nothing of it.</summary>
    WitnessToWorkers,
    WorkersToBootstrapServer,

    /// <summary>The bootstrap server with its file, and the workers at it: another seat begins on an empty one.</summary>
    Brain,
}

/// <summary>One fault at one moment of one step, and when it is over.</summary>
public sealed record CrashCase(bool Synchronous, Cause Cause, string Step, Moment Moment, Victim Victim, TimeSpan Lasts)
{
    private static readonly string[] OfFailover = ["claim", "fence", "promote", "verify", "repoint", "rebuild", "readiness"];
    private static readonly string[] OfSwitchover = ["prepare", "fence", "claim", "promote", "verify", "repoint", "rebuild", "readiness"];

    /// <summary>The way back; the way there is that of a switchover.</summary>
    private static readonly string[] OfTakenBack = ["claimBack", "unfence"];

    /// <summary>Every side effect, every moment, every victim. Where commits wait for nobody a stopped server is first started again in place: no places change then.</summary>
    public static IReadOnlyList<CrashCase> All { get; } =
    [
        .. from synchronous in new[] { true, false }
           from cause in Enum.GetValues<Cause>()
           from step in StepsOf(cause, synchronous)
           // A server that its guard has fenced is not fenced again.
           where !(cause == Cause.PostmasterKilled && step == "fence")
           from moment in Enum.GetValues<Moment>()
           // One that is gone does not answer: fencing it has no effect and no end that anybody could be told of.
           where !(cause == Cause.NodeLost && step == "fence" && moment != Moment.BeforeEffect)
           from victim in Enum.GetValues<Victim>()
           select new CrashCase(synchronous, cause, step, moment, victim, TimeSpan.FromSeconds(2)),
    ];

    /// <summary>Whether it is of all these: causes, steps, moments or victims, as in <c>PostmasterKilled/readiness/AfterCompletion</c>.</summary>
    public bool Is(string described) => described.Split('/').All(part => part == $"{Cause}" || part == Step || part == $"{Moment}" || part == $"{Victim}");

    private static string[] StepsOf(Cause cause, bool synchronous) => cause switch
    {
        Cause.Switchover => OfSwitchover,
        Cause.TakenBack => OfTakenBack,
        Cause.PostmasterKilled when !synchronous => ["unfence"],
        _ => OfFailover,
    };

    /// <summary>Each victim at each moment of each step once, causes and modes in turn.</summary>
    public static IReadOnlyList<CrashCase> Each { get; } =
        [.. All.GroupBy(one => (one.Victim, one.Step, one.Moment)).Select((group, number) => group.ElementAt(number % group.Count())).OrderBy(one => one.Victim == Victim.Brain)];

    /// <summary>Each victim, step, moment, cause and mode as often as the others of its kind, in other company with every seed.</summary>
    public static IReadOnlyList<CrashCase> Some(int count, int seed)
    {
        var random = new Random(seed);
        var left = All.Where(one => one.Victim != Victim.Brain).OrderBy(_ => random.Next()).ToList();
        var chosen = new List<CrashCase>();
        while (chosen.Count < count)
        {
            // Of two that share nothing with what was chosen so far, either; of others the one that shares least.
            var next = left.MinBy(one => chosen.Sum(other => Shared(one, other)))!;
            left.Remove(next);
            chosen.Add(next);
        }

        return chosen;
    }

    private static int Shared(CrashCase one, CrashCase other) =>
        (one.Victim == other.Victim ? 10 : 0) + (one.Step == other.Step ? 7 : 0) + (one.Moment == other.Moment ? 3 : 0) + (one.Cause == other.Cause ? 3 : 0) + (one.Synchronous == other.Synchronous ? 2 : 0);
}
