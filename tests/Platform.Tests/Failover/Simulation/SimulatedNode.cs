using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover.Simulation;

/// <summary>What of a guard may be broken on purpose, to see that the checker notices.</summary>
internal enum Mutant
{
    None,

    /// <summary>Promotes without waiting for the replaced lease.</summary>
    DoesNotWait,

    /// <summary>Counts its lease from the answer of the witness instead of from when it sent the renewal.</summary>
    CountsFromTheAnswer,

    /// <summary>Looks at the lease when a client connects, not when it forwards.</summary>
    TrustsOpenConnections,

    /// <summary>A standby that is away is not waited for: commits are acknowledged although synchronous replication was asked for.</summary>
    DropsSynchronous,
}

/// <summary>A PostgreSQL server with the guard beside it, which is the only way to it.</summary>
internal sealed partial class SimulatedNode(string name, SimulatedTime time, SimulatedNetwork network, SimulatedWitness witness, SimulatedClock clock, Mutant mutant, Action<SimulatedNode> wrote)
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Renewal = TimeSpan.FromMilliseconds(200);

    private int life, serverEndedIn = -1;
    private int cuts;
    private int synchronousFrom;
    private long frozenUntil;
    private TimeSpan leaseUntil;
    private PrimaryLease? met;
    private TimeSpan metAt;
    private bool wasOpen;

    public string Name => name;

    public SimulatedNode Peer { get; set; } = null!;

    /// <summary>Rows in the order of the write-ahead log. Durable, as all of the first group.</summary>
    public List<int> Log { get; } = [];

    public int Timeline { get; private set; } = 1;

    public bool Primary { get; set; }

    public bool Synchronous { get; set; }

    /// <summary>Where the timeline that it leads or follows began.</summary>
    public int Fork { get; private set; }

    public bool Fenced { get; private set; }

    public long Epoch { get; private set; } = 1;

    public bool GuardUp { get; private set; } = true;

    public bool ServerUp { get; private set; } = true;

    /// <summary>How much of its log the standby has said to have, in this life.</summary>
    public int Confirmed { get; private set; }

    private bool StandbyHeard { get; set; }

    /// <summary>Whether a client's write would pass now.</summary>
    public bool Writable => GuardUp && ServerUp && Primary && !Fenced && clock.Monotonic < leaseUntil;

    /// <summary>The real time until which it may let writes pass, as things stand; in the past when it does not.</summary>
    public long WritableUntil => GuardUp && ServerUp && Primary && !Fenced ? clock.RealTimeOf(leaseUntil) : 0;

    public DatabaseNode Status => new()
    {
        Name = name,
        Role = !ServerUp ? NodeRole.Stopped : Primary ? NodeRole.Primary : NodeRole.Standby,
        Writable = Writable,
        Fenced = Fenced || !ServerUp,
        Epoch = Epoch,
        Timeline = Timeline,
        ReceivedLsn = Log.Count,
        Synchronous = Primary && ServerUp ? CommitsWait : null,
        CommitsWaited = Primary && !ServerUp && serverEndedIn == life ? CommitsWait : null,
        LastMarker = clock.Wall,
    };

    private bool CommitsWait => Synchronous && StandbyHeard && Confirmed >= synchronousFrom;

    public void Start() => Tick(life);

    public void KillServer()
    {
        ServerUp = false;
        serverEndedIn = life;
        // The guard is its parent: it learns it at once, cuts, and gives the lease back.
        Cut();
        GiveBack();
    }

    public void KillGuard(long backAfter)
    {
        life++;
        GuardUp = ServerUp = false;
        Cut();
        met = null;
        time.After(backAfter, () =>
        {
            GuardUp = ServerUp = true;
            StandbyHeard = false;
            Confirmed = 0;
            Tick(life);
        });
    }

    public void Freeze(long until) => frozenUntil = Math.Max(frozenUntil, until);

    /// <summary>Something reaches the guard; while it is frozen that waits, and when it is gone it is lost.</summary>
    public void Reach(Action happens)
    {
        if (time.Now < frozenUntil)
            time.At(frozenUntil, () => Reach(happens));
        else if (GuardUp)
            happens();
    }

    /// <summary>A client's write, with whom to tell that it is committed.</summary>
    public void Insert(int row, Action acknowledged) => Reach(() =>
    {
        if (!Writable && !(mutant == Mutant.TrustsOpenConnections && wasOpen && ServerUp && Primary))
            return;
        Log.Add(row);
        wrote(this);
        var at = Log.Count;
        var here = life;
        Replicate();
        WhenCommitted(at, () => Reach(() =>
        {
            // The answer passes the guard too.
            if (here == life && (Writable || mutant == Mutant.TrustsOpenConnections))
                acknowledged();
        }), here);
    });

    private void WhenCommitted(int at, Action then, int here, int tries = 0)
    {
        if (here != life || !ServerUp || tries > 200)
            return;
        if (!Synchronous || Confirmed >= at || mutant == Mutant.DropsSynchronous && tries > 3)
            then();
        else
            time.After(10_000, () => WhenCommitted(at, then, here, tries + 1));
    }

    /// <summary>Sends what the standby lacks. Its answers say how much it has.</summary>
    private void Replicate()
    {
        var (from, timeline, fork) = (Math.Min(Confirmed, Log.Count), Timeline, Fork);
        var (rows, here, peer) = (Log[from..], life, Peer);
        network.Send(name, peer.Name, () => peer.Reach(() => peer.Receive(from, rows, timeline, fork, has => network.Send(peer.Name, name, () => Reach(() =>
        {
            if (here == life && Timeline == timeline && Primary && ServerUp)
                (Confirmed, StandbyHeard) = (Math.Max(Confirmed, Math.Min(has, Log.Count)), true);
        })))));
    }

    private void Receive(int from, List<int> rows, int timeline, int fork, Action<int> confirm)
    {
        // A standby goes on to the timeline of whom it follows when it has nothing of beyond its beginning.
        if (Primary || !ServerUp || timeline < Timeline || timeline > Timeline && Log.Count > fork)
            return;
        (Timeline, Fork) = (timeline, fork);
        if (from > Log.Count)
        {
            confirm(Log.Count);
            return;
        }

        Log.AddRange(rows.Skip(Log.Count - from));
        confirm(Log.Count);
    }

    private void Tick(int mine)
    {
        if (mine != life)
            return;
        if (time.Now < frozenUntil)
        {
            time.At(frozenUntil, () => Tick(mine));
            return;
        }

        if (Primary && ServerUp)
            Replicate();
        else if (Primary)
            GiveBack();
        else if (!Fenced)
            // A standby that stopped is nobody's to decide about.
            ServerUp = true;
        Look(mine, Renew);
        time.After(clock.Real(Renewal), () => Tick(mine));
    }

    private void Look(int mine, Action<(WitnessRecord Record, long Version), int> then) => witness.Read(name, entry => Reach(() =>
    {
        if (mine != life)
            return;
        Meet(entry.Record);
        then(entry, mine);
    }));

    /// <summary>Notes since when it has known of the sequence that is the last one.</summary>
    private void Meet(WitnessRecord record)
    {
        var seen = record.Lease ?? record.Replaced;
        if (seen is null || met?.Sequence == seen.Sequence)
            return;
        (met, metAt) = (seen, clock.Monotonic);
    }

    private void Renew((WitnessRecord Record, long Version) entry, int mine)
    {
        if (!Primary || !ServerUp || Fenced)
            return;
        if (entry.Record.Primary != name)
            return;
        // After a claim only the promotion, which waits, takes the first lease.
        if (entry.Record.Epoch != Epoch || entry.Record.Lease is null && entry.Record.Replaced is not null)
            return;
        Take(entry, mine, () => { });
    }

    private void Take((WitnessRecord Record, long Version) entry, int mine, Action taken)
    {
        var (sent, before) = (clock.Monotonic, cuts);
        witness.Write(name, entry.Record.Renew(Lease), entry.Version, written => Reach(() =>
        {
            // An answer to what was sent before a cut is no permission any more: the lease may have been given back since.
            if (mine != life || before != cuts || written is null || !Primary || !ServerUp || Fenced)
                return;
            var until = (mutant == Mutant.CountsFromTheAnswer ? clock.Monotonic : sent) + Lease;
            if (until <= clock.Monotonic)
                return;
            leaseUntil = until > leaseUntil ? until : leaseUntil;
            wasOpen = true;
            Meet(written.Value.Record);
            wrote(this);
            taken();
        }));
    }

    private void Cut()
    {
        leaseUntil = default;
        cuts++;
    }

    private void GiveBack() => witness.Read(name, entry => Reach(() =>
    {
        if (entry.Record.Primary == name && entry.Record.Lease is { Released: false } && leaseUntil == default)
            witness.Write(name, entry.Record.Release(), entry.Version, _ => { });
    }));
}
