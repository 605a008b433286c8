using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Failover.Simulation;

/// <summary>The durable workflow: it decides by <see cref="FailoverRules"/> and goes by <see cref="FailoverProgress"/>. What it has noted survives; what it was
/// waiting for is lost when it crashes, and is done again.</summary>
internal sealed class SimulatedOperator(SimulatedTime time, SimulatedNetwork network, SimulatedWitness witness, SimulatedClock clock, IReadOnlyDictionary<string, SimulatedNode> nodes, bool synchronous)
{
    public const string Name = "operator";

    private readonly Dictionary<string, ObserverReport> reports = [];
    private FailoverProgress? progress;
    private FailoverProposal? proposal;
    private string operationId = "first";
    private string primary = "east";
    private long epoch = 1;
    private OpenRecovery? recovery;
    private DateTimeOffset? restartingSince;
    private bool aborting;
    private int life;
    private int attempt;
    private int operations;

    /// <summary>Rows that were handed out before anything was rewound.</summary>
    public HashSet<int> Reported { get; } = [];

    /// <summary>Whom clients are led to.</summary>
    public string Primary => primary;

    public bool Idle => progress is null && recovery is null;

    public int Finished { get; private set; }

    public int TakenBack { get; private set; }

    private string Other => primary == "east" ? "west" : "east";

    private FailoverFacts Facts => new()
    {
        Environment = "production",
        Policy = new(FailoverMode.Automatic, FailoverMode.Off, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5)),
        Timing = new() { AgainstRenewal = TimeSpan.FromSeconds(4), RestartInPlace = TimeSpan.FromSeconds(1) },
        Primary = primary,
        Standby = Other,
        Epoch = epoch,
        Reports = [.. reports.Values],
        Recovery = recovery,
        RestartingSince = restartingSince,
        OneHeardIsEnough = true,
        Now = clock.Wall,
    };

    /// <summary>Where it stands, for whoever has to find out why.</summary>
    public override string ToString() =>
        $"{operationId}, epoch {epoch} of {primary}, {(progress is null ? "idle" : $"at {progress.Next} of {proposal!.Kind}")}{(aborting ? ", taking back" : "")}, recovery {recovery}; {FailoverRules.Decide(Facts)}";

    public void Hear(ObserverReport report)
    {
        if (reports.GetValueOrDefault(report.Observer) is { } known && known.SeenAt > report.SeenAt)
            return;
        reports[report.Observer] = report with { ReceivedAt = clock.Wall };
        switch (FailoverRules.Decide(Facts))
        {
            case FailoverDecision.FailOverDatabase { Proposal: var decided }:
                Begin(decided);
                break;
            case FailoverDecision.RestartInPlace:
                restartingSince ??= clock.Wall;
                Restart();
                break;
            case FailoverDecision.Wait { Code: FailoverReason.Healthy }:
                restartingSince = null;
                break;
            default:
                break;
        }
    }

    /// <summary>People ask for a change of places while all is well.</summary>
    public void SwitchOver()
    {
        if (recovery is null && progress is null)
            Begin(new() { Environment = "production", Kind = FailoverKind.Switchover, From = primary, To = Other, Epoch = epoch, Stack = StackMove.Stays, Loss = new(true, 0, TimeSpan.Zero, null) });
    }

    public void Abort()
    {
        if (progress is { PointOfNoReturnPassed: false } && !aborting)
        {
            aborting = true;
            attempt++;
            Undo(life);
        }
    }

    /// <summary>What it waits for is forgotten; what it has noted is not.</summary>
    public void Crash(long backAfter)
    {
        life++;
        var mine = life;
        time.After(backAfter, () =>
        {
            if (mine != life || progress is null)
                return;
            if (aborting)
                Undo(mine);
            else
                Step(mine);
        });
    }

    private void Begin(FailoverProposal decided)
    {
        (proposal, operationId, restartingSince) = (decided, $"operation-{++operations}", null);
        progress = FailoverProgress.Start(decided.Kind, decided.Stack);
        recovery = new(operationId, true, clock.Wall);
        Step(life);
    }

    private void Step(int mine)
    {
        if (mine != life || aborting || progress is null)
            return;
        if (progress.Next is not { } step)
        {
            Finished++;
            progress = null;
            recovery = recovery! with { Running = false };
            time.After(500_000, () => recovery = recovery is { Running: false } ? null : recovery);
            return;
        }

        progress = progress.Begin();
        var tried = ++attempt;
        bool Current() => mine == life && tried == attempt && !aborting && progress is not null;
        CarryOut(step, Current, () =>
        {
            if (!Current())
                return;
            if (step == FailoverStep.Promote)
                (primary, recovery) = (proposal!.To, recovery! with { Promoted = true });
            progress = progress!.End();
            Step(mine);
        });
        // No answer in time: again, but an old primary that does not answer is not waited for.
        time.After(step == FailoverStep.Fence && proposal!.Kind == FailoverKind.Switchover ? 2_000_000 : 600_000, () =>
        {
            if (!Current())
                return;
            if (step == FailoverStep.Fence && proposal!.Kind == FailoverKind.Failover)
                progress = progress!.End();
            else if (step is FailoverStep.Fence or FailoverStep.Prepare && proposal!.Kind == FailoverKind.Switchover)
            {
                Abort();
                return;
            }

            Step(mine);
        });
    }

    private void CarryOut(FailoverStep step, Func<bool> current, Action done)
    {
        var (from, to, asOf) = (proposal!.From, proposal.To, epoch);
        switch (step)
        {
            case FailoverStep.Prepare when nodes[to].Status is { Role: NodeRole.Standby } && nodes[from].Confirmed >= nodes[from].Log.Count - 10:
                done();
                break;
            case FailoverStep.Claim:
                Claim(to, current, done);
                break;
            case FailoverStep.Fence when proposal.Kind == FailoverKind.Switchover:
                Call(from, node => node.Fence(asOf, drain: true, _ => Answer(from, done)));
                break;
            case FailoverStep.Fence:
                Call(from, node => node.Fence(asOf, drain: false, _ => Answer(from, () => ReplacedFenced(current, done))));
                break;
            case FailoverStep.Promote:
                Call(to, node => node.Promote(asOf, () => Answer(to, done)));
                break;
            case FailoverStep.Verify when nodes[to].Writable || nodes[to].Primary:
            case FailoverStep.Repoint:
            case FailoverStep.Readiness:
                done();
                break;
            case FailoverStep.Rebuild:
                Call(from, node => node.Follow(asOf, rows => Reported.UnionWith(rows), () => Answer(from, () =>
                {
                    if (synchronous && current())
                        Call(to, led => led.MakeSynchronous(asOf, () => Answer(to, done)));
                    else
                        done();
                })));
                break;
            default:
                break;
        }
    }

    /// <summary>The compare-and-swap. Whoever did it already finds it done; who decided by what is not so any more gives up.</summary>
    private void Claim(string to, Func<bool> current, Action done)
    {
        var asked = proposal!;
        witness.Read(Name, entry =>
        {
            if (!current())
                return;
            if (entry.Record.OperationId == operationId)
            {
                epoch = entry.Record.Epoch;
                done();
            }
            else if (entry.Record.Epoch != asked.Epoch
                || asked.StalledSequence is { } stalled && entry.Record.Lease?.Sequence != stalled
                || asked.Kind == FailoverKind.Switchover && entry.Record.Lease is not { Released: true })
            {
                Abort();
            }
            else
            {
                witness.Write(Name, entry.Record.Claim(to, operationId, fenced: false), entry.Version, written =>
                {
                    if (!current() || written is null)
                        return;
                    epoch = written.Value.Record.Epoch;
                    done();
                });
            }
        });
    }

    /// <summary>After the claim a fenced guard cannot come back: its lease is over.</summary>
    private void ReplacedFenced(Func<bool> current, Action done) => witness.Read(Name, entry =>
    {
        if (current() && entry.Record.OperationId == operationId && entry.Record.Lease is null)
            witness.Write(Name, entry.Record.ReplacedFenced(), entry.Version, _ => done());
        else
            done();
    });

    /// <summary>The compensations, one after the other, again and again until all have been answered.</summary>
    private void Undo(int mine)
    {
        if (mine != life || !aborting || progress is null)
            return;
        var tried = ++attempt;
        if (progress.Compensations.Count == 0)
            Undone();
        else
            witness.Read(Name, entry =>
            {
                if (mine != life || tried != attempt || !aborting)
                    return;
                // The claim may have been made although its answer never came; whoever reads later than that sees it.
                if (entry.Record.OperationId == operationId)
                    witness.Write(Name, entry.Record.Claim(proposal!.From, $"{operationId}-back", fenced: false), entry.Version, _ => { });
                else if (progress.Begun.Contains(FailoverStep.Claim) && entry.Record.OperationId != $"{operationId}-back" && entry.Record.Epoch == proposal!.Epoch)
                    // Nobody has claimed yet, and a claim may be on its way: a claim back takes its version away.
                    witness.Write(Name, entry.Record.Claim(proposal.From, $"{operationId}-back", fenced: false), entry.Version, _ => { });
                else
                {
                    var asOf = epoch = entry.Record.Epoch;
                    Call(proposal!.From, node => node.Unfence(asOf, () => Answer(proposal.From, () =>
                    {
                        if (mine == life && tried == attempt && aborting)
                            Undone();
                    })));
                }
            });
        time.After(500_000, () =>
        {
            if (mine == life && tried == attempt)
                Undo(mine);
        });
    }

    private void Undone()
    {
        TakenBack++;
        (progress, aborting, recovery) = (null, false, null);
        attempt++;
    }

    private void Restart()
    {
        var asOf = epoch;
        Call(primary, node => node.Unfence(asOf, () => { }));
    }

    private void Call(string node, Action<SimulatedNode> order) => network.Send(Name, node, () => order(nodes[node]));

    private void Answer(string node, Action heard) => network.Send(node, Name, heard);
}
