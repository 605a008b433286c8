using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover.Simulation;

/// <summary>What the guard does when it is told to. Each order carries an epoch; one that is older than what the guard has seen is refused.</summary>
internal sealed partial class SimulatedNode
{
    /// <summary>Lets nobody through any more and stops the server.</summary>
    /// <param name="drained">Told with the end of the log; in a switchover only when the standby has all of it.</param>
    public void Fence(long epoch, bool drain, Action<int> drained) => Order(epoch, () =>
    {
        Fenced = true;
        Cut();
        if (drain)
            Drain(life, drained, 0);
        else
            Stopped(drained);
    });

    /// <summary>Takes a fence back.</summary>
    public void Unfence(long epoch, Action done) => Order(epoch, () =>
    {
        Fenced = false;
        ServerUp = true;
        if (!Primary)
        {
            done();
            return;
        }

        var mine = life;
        Look(mine, (entry, _) =>
        {
            if (entry.Record.Primary != Name || entry.Record.Epoch < epoch)
                return;
            Epoch = Math.Max(Epoch, entry.Record.Epoch);
            WhenNobodyElse(entry, mine, now => Take(now, mine, done));
        });
    });

    /// <summary>Becomes primary of an epoch that the witness names it for, once nobody else can hold a lease.</summary>
    public void Promote(long epoch, Action done) => Order(epoch, () =>
    {
        if (Primary && Writable && Epoch == epoch)
        {
            done();
            return;
        }

        // Whoever is to be promoted is started when it has stopped: there is no way back.
        (ServerUp, Fenced) = (true, false);
        var mine = life;
        Look(mine, (entry, _) =>
        {
            if (entry.Record.Epoch == epoch && entry.Record.Primary == Name)
                WhenNobodyElse(entry, mine, now => Open(now, mine, done));
        });
    });

    /// <summary>Becomes a standby of the peer. What only it had is handed out first.</summary>
    public void Follow(long epoch, Action<IReadOnlyList<int>> exported, Action done) => Order(epoch, () =>
    {
        if (!Peer.GuardUp || !Peer.ServerUp || !Peer.Primary)
            return;
        if (Primary || Log.Count > Peer.Fork && Timeline < Peer.Timeline)
        {
            Cut();
            exported([.. Log.Skip(Peer.Fork)]);
            Log.RemoveRange(Math.Min(Peer.Fork, Log.Count), Math.Max(0, Log.Count - Peer.Fork));
            Primary = false;
            life++;
            Tick(life);
        }

        (Fenced, ServerUp) = (false, true);
        if (Timeline == Peer.Timeline && Log.Count >= Peer.Log.Count - 5)
            done();
    });

    public void MakeSynchronous(long epoch, Action done) => Order(epoch, () =>
    {
        if (!Synchronous)
            (Synchronous, synchronousFrom) = (true, Log.Count);
        if (Status.Synchronous == true)
            done();
    });

    private void Order(long epoch, Action carryOut) => Reach(() =>
    {
        if (epoch < Epoch)
            return;
        Epoch = epoch;
        carryOut();
    });

    private void Drain(int mine, Action<int> drained, int tries)
    {
        if (mine != life || !Fenced || tries > 100)
            return;
        if (Confirmed >= Log.Count)
        {
            Stopped(drained);
            return;
        }

        Replicate();
        time.After(10_000, () => Drain(mine, drained, tries + 1));
    }

    private void Stopped(Action<int> told)
    {
        ServerUp = false;
        GiveBack();
        told(Log.Count);
    }

    private void WhenNobodyElse((WitnessRecord Record, long Version) entry, int mine, Action<(WitnessRecord Record, long Version)> then)
    {
        var wait = mutant == Mutant.DoesNotWait ? TimeSpan.Zero : LeaseRules.WaitFor(entry.Record.Replaced, clock.Monotonic - metAt);
        if (wait == TimeSpan.Zero)
            then(entry);
        else
            // It looks again meanwhile: the old primary's guard may say that it is fenced.
            time.After(Math.Min(clock.Real(wait), 50_000), () => Reach(() =>
            {
                if (mine == life)
                    Look(mine, (now, _) =>
                    {
                        if (now.Record.Epoch == entry.Record.Epoch && now.Record.Primary == Name)
                            WhenNobodyElse(now, mine, then);
                    });
            }));
    }

    private void Open((WitnessRecord Record, long Version) entry, int mine, Action done)
    {
        if (!ServerUp || mine != life)
            return;
        if (!Primary)
        {
            (Primary, Synchronous, Confirmed, StandbyHeard) = (true, false, 0, false);
            Timeline++;
            Fork = Log.Count;
        }

        Take(entry, mine, done);
    }
}
