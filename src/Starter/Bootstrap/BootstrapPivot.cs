using System.Text.Json;
using PlatformOps.Adapters.Bootstrap;
using PlatformOps.Platform.Bootstrap;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Bootstrap;

/// <summary>Moves the standing work of one bootstrap cluster to another: looks at both, asks <see cref="PivotRules"/> for the next step, takes it, looks again. It remembers nothing, so that
/// whoever begins it anew goes on where it ended, from any machine.</summary>
/// <param name="tell">Hears of each step before it is taken.</param>
internal sealed class BootstrapPivot(BootstrapCluster source, BootstrapCluster target, PivotTiming timing, TimeProvider clock, Action<string> tell)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>How often a step is taken again that shows no effect: lists of a Temporal cluster may lag behind by seconds.</summary>
    private const int MostRepetitions = 60;

    private readonly List<string> done = [];
    private (string Sight, long Since) known = ("", 0);

    /// <summary>What would be done from here; changes nothing.</summary>
    public async Task<PivotPlan> PlanAsync(PivotDirection direction, CancellationToken ct)
    {
        var facts = await ObserveAsync(direction, ct);
        var (steps, end) = PivotRules.Plan(facts);
        return new(facts, [.. steps.Select(step => step.InWords)], end);
    }

    /// <summary>Carries it out until nothing is left to do, it cannot go on, or it would have to wait for longer.</summary>
    /// <param name="patience">How long to wait for what somebody else has to end.</param>
    public async Task<PivotEnd> RunAsync(PivotDirection direction, TimeSpan patience, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        string? attempt = null, last = null;
        var repeated = 0;
        while (true)
        {
            var facts = await ObserveAsync(direction, ct);
            var decision = PivotRules.Decide(facts);
            if (direction == PivotDirection.Forward && attempt is not null && PivotRules.PivotId(facts.Source, facts.Target) != attempt)
                decision = new PivotDecision.Refuse($"Somebody has taken {attempt} back.", "platformops bootstrap status; begin again if it has to be moved after all.");
            if (decision is PivotDecision.Act { Step: var step })
            {
                (repeated, last) = (last == step.InWords ? repeated + 1 : 0, step.InWords);
                if (repeated == 0)
                    Tell(step);
                else if (repeated > MostRepetitions)
                    return End(facts, new PivotDecision.Wait("A step shows no effect. Run the command again; with --verbose it says more.", [step.InWords]));
                else
                    await Task.Delay(Pause, clock, ct);
                if (facts.Source.Says.Role == BootstrapRole.HandingOver || step is PivotStep.Write { Record.Role: BootstrapRole.Expecting })
                    attempt ??= PivotRules.PivotId(facts.Source, facts.Target);
                if (await TakeAsync(step, facts, ct) is not { } obstacle)
                    continue;
                decision = obstacle;
            }

            if (decision is PivotDecision.Settle)
            {
                await Task.Delay(Pause, clock, ct);
                continue;
            }

            if (decision is not PivotDecision.Wait || clock.GetElapsedTime(began) >= patience)
                return End(facts, decision);
            await Task.Delay(Pause, clock, ct);
        }
    }

    private async Task<PivotFacts> ObserveAsync(PivotDirection direction, CancellationToken ct)
    {
        var (one, other) = (source.ObserveAsync(ct), target.ObserveAsync(ct));
        await Task.WhenAll(one, other);
        var (here, there) = (await one, await other);
        var sight = JsonSerializer.Serialize(new { here, there });
        if (sight != known.Sight)
            known = (sight, clock.GetTimestamp());
        return new(direction, here, there, clock.GetElapsedTime(known.Since), timing);
    }

    /// <returns>What somebody has to end first; null: it was taken.</returns>
    private async Task<PivotDecision.Wait?> TakeAsync(PivotStep step, PivotFacts facts, CancellationToken ct)
    {
        var attempt = facts.Source.Says.PivotId ?? facts.Target.Record?.PivotId ?? "";
        try
        {
            await (step switch
            {
                PivotStep.Prepare => target.PrepareAsync(source, ct),
                PivotStep.Write write => Of(write.Side).WriteAsync((write.Side == PivotSide.Source ? facts.Source : facts.Target).Record, write.Record, ct),
                PivotStep.Hold hold => source.HoldAsync(hold.Schedule, hold.Mark, ct),
                PivotStep.Suspend suspend => source.SuspendAsync(suspend.Run, attempt, ct),
                PivotStep.CopySchedule copy => target.CopyAsync(source, copy.Schedule, ct),
                PivotStep.CopyRun copy => target.CopyAsync(source, copy.Run, attempt, ct),
                PivotStep.Release release => Of(release.Side).ReleaseAsync(release.Schedule, release.Since, clock.GetUtcNow(), ct),
                PivotStep.Remove remove => Of(remove.Side).RemoveAsync(remove.Schedule, ct),
                PivotStep.End end => Of(end.Side).EndAsync(end.Run, $"{attempt}: {(end.Side == PivotSide.Source ? $"it goes on at {target.Name}" : $"it goes on at {source.Name}")}.", ct),
                PivotStep.Resume resume => source.ResumeAsync(resume.Run, attempt, ct),
                _ => throw new InvalidOperationException($"Nobody knows how to {step.InWords}."),
            });
            return null;
        }
        catch (WorkflowUpdateFailedException refused) when (step is PivotStep.Suspend or PivotStep.Resume)
        {
            return new($"A run is in the middle of something: {refused.InnerException?.Message}", [Run(step)]);
        }
        catch (Exception silent) when (step is PivotStep.Suspend or PivotStep.Resume or PivotStep.CopyRun && !ct.IsCancellationRequested && IsSilence(silent))
        {
            return new($"No worker answers at {source.Name} for a run that is to be moved. Start one there (platformops worker) and run this again.", [Run(step)]);
        }
    }

    private BootstrapCluster Of(PivotSide side) => side == PivotSide.Source ? source : target;

    private void Tell(PivotStep step)
    {
        done.Add(step.InWords);
        tell($"{char.ToUpperInvariant(step.InWords[0])}{step.InWords[1..]}.");
    }

    private PivotEnd End(PivotFacts facts, PivotDecision decision) => new(facts, [.. done], decision);

    private static bool IsSilence(Exception failure) => failure is WorkflowUpdateRpcTimeoutOrCanceledException or WorkflowQueryFailedException or WorkflowQueryRejectedException
        || failure is RpcException { Code: RpcException.StatusCode.DeadlineExceeded or RpcException.StatusCode.FailedPrecondition or RpcException.StatusCode.Cancelled };

    private static string Run(PivotStep step) => step switch
    {
        PivotStep.Suspend suspend => suspend.Run.Id,
        PivotStep.Resume resume => resume.Run.Id,
        PivotStep.CopyRun copy => copy.Run.Id,
        _ => "",
    };
}

/// <summary>What would be done.</summary>
internal sealed record PivotPlan(PivotFacts Facts, IReadOnlyList<string> Steps, PivotDecision End);

/// <summary>What came of it.</summary>
/// <param name="Facts">As they were seen last.</param>
/// <param name="Steps">What was done, in order.</param>
internal sealed record PivotEnd(PivotFacts Facts, IReadOnlyList<string> Steps, PivotDecision Decision)
{
    /// <summary>Something of it has been done, and is not finished.</summary>
    public bool UnderWay => Facts.Source.Says.Role is not BootstrapRole.Active || Facts.Target.Record?.Role == BootstrapRole.Expecting;
}
