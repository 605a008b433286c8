using PlatformOps.Guard;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What goes wrong, at which moment, and how it is well again.</summary>
internal sealed partial class CrashWorld
{
    private async Task CauseAsync(Cause cause, string primary)
    {
        aborting = cause == Cause.TakenBack;
        switch (cause)
        {
            case Cause.NodeLost:
                await pair.LoseAsync(primary);
                break;
            case Cause.PostmasterKilled when !synchronous:
                // A standby that lacks nothing is promoted at once, and nothing is started again in place.
                await Each(BetweenNodes, link => link.Cut());
                var before = clients.Written;
                await Wait.UntilAsync(() => clients.Written > before + 20, () => "Clients do not write while their standby is cut off.");
                pair.KillPostmaster(primary);
                // What is on its way would come through.
                await Task.Delay(TimeSpan.FromSeconds(1), Ct);
                await Each(BetweenNodes, link => link.Restore());
                break;
            case Cause.PostmasterKilled:
                pair.KillPostmaster(primary);
                break;
            default:
                await AskAsync();
                break;
        }
    }

    private Link[] BetweenNodes => [.. pair.Files.Nodes.Select(pair.ReplicationLink)];

    /// <summary>A machine that was lost is back after a while.</summary>
    private async Task ReturnAsync(string node)
    {
        await Task.Delay(TimeSpan.FromSeconds(2.5), Ct);
        if (!pair.Lives(node))
            await pair.StartGuardAsync(node);
    }

    private async Task AskAsync()
    {
        while (true)
        {
            try
            {
                await Run.ExecuteUpdateAsync<ControlResult>("failOver", [new FailOverInput("the test wants it", "ana")]);
                return;
            }
            catch (Exception refused) when (refused is WorkflowUpdateFailedException or RpcException)
            {
                // What it has to know may have come a moment later.
                Say($"failOver: {refused.InnerException?.Message ?? refused.Message}");
                await Task.Delay(200, Ct);
            }
        }
    }

    private async Task HitAsync(Victim victim, string primary, string standby)
    {
        Say($"hit {victim}");
        switch (victim)
        {
            case Victim.Workers:
                KillWorkers([.. pair.Files.Nodes]);
                break;
            case Victim.WorkersOfOldPrimary or Victim.WorkersOfNewPrimary:
                KillWorkers(victim == Victim.WorkersOfOldPrimary ? primary : standby);
                break;
            case Victim.FrozenBootstrapServer:
                SignalServer(GuardedPair.Stop);
                break;
            case Victim.FrozenOldPrimary or Victim.FrozenNewPrimary:
                pair.Freeze(victim == Victim.FrozenOldPrimary ? primary : standby);
                break;
            case Victim.BootstrapServer:
                await KillServerAsync();
                break;
            case Victim.Brain:
                KillWorkers([.. pair.Files.Nodes]);
                await KillServerAsync();
                (seat, brainLost) = (seat + 1, true);
                break;
            case Victim.OldPrimary or Victim.NewPrimary:
                await pair.LoseAsync(victim == Victim.OldPrimary ? primary : standby);
                break;
            case Victim.WitnessOfOldPrimary or Victim.WitnessOfNewPrimary:
                pair.WitnessLink(victim == Victim.WitnessOfOldPrimary ? primary : standby).Cut();
                break;
            case Victim.BetweenNodes:
                pair.ReplicationLink(primary).Cut();
                pair.ReplicationLink(standby).Cut();
                break;
            case Victim.WorkersToWitness:
                workersToWitness.Cut();
                break;
            case Victim.WitnessToWorkers:
                workersToWitness.CutAnswers();
                break;
            case Victim.WorkersToBootstrapServer:
                await Each(workers.Values, one => one.CutOff());
                break;
            default:
                var node = victim == Victim.WorkersToOldPrimary ? primary : standby;
                guardLinks[node].Cut();
                clientLinks[node].Cut();
                break;
        }
    }

    private (string What, Func<Task> Hit, Func<Task> Heal) RandomFault(Random random, string primary, string standby)
    {
        var node = random.Next(2) == 0 ? primary : standby;
        return random.Next(18) switch
        {
            0 => ($"lose {node}", () => pair.LoseAsync(node), () => StartGuardAsync(node, mayDie: true)),
            1 => ($"kill guard of {node}", () => Now(() => pair.KillGuard(node)), () => StartGuardAsync(node, mayDie: true)),
            2 => ($"kill server of {node}", () => Now(() => _ = pair.Data(node).Postmaster() is { } process ? Signal(process) : 0), () => Task.CompletedTask),
            3 => FrozenGuard(node),
            4 => Frozen(node),
            5 => ($"freeze server of {node}", () => Now(() => pair.FreezeServer(node)), () => Now(() => pair.Thaw(node))),
            6 => ("kill workers", () => Now(() => KillWorkers([.. pair.Files.Nodes])), StartWorkersAsync),
            7 => ($"kill workers of {node}", () => Now(() => KillWorkers(node)), StartWorkersAsync),
            8 => ("kill bootstrap server", KillServerAsync, () => StartServerAsync(mayDie: true)),
            9 => FrozenBootstrapServer(),
            10 or 11 => CutLinks($"{node} from witness", pair.WitnessLink(node)),
            12 => ($"cut answers of witness to {node}", () => Now(() => pair.WitnessLink(node).CutAnswers()), () => Now(() => pair.WitnessLink(node).Restore())),
            13 => CutLinks("nodes", pair.ReplicationLink(primary), pair.ReplicationLink(standby)),
            14 => CutLinks($"workers from {node}", guardLinks[node], clientLinks[node]),
            15 => ("cut answers of witness to workers", () => Now(workersToWitness.CutAnswers), () => Now(workersToWitness.Restore)),
            16 => CutOff(node),
            _ => CutLinks($"{node} from everything", pair.WitnessLink(node), pair.ReplicationLink(primary), pair.ReplicationLink(standby), guardLinks[node], clientLinks[node]),
        };

        static int Signal(int process)
        {
            Posix.Signal(process, Posix.Kill);
            return 0;
        }
    }

    /// <summary>What no change of places may come of when it is over within half a second.</summary>
    private (string What, Func<Task> Hit, Func<Task> Heal) Nuisance(Random random, string primary, string standby)
    {
        var node = random.Next(2) == 0 ? primary : standby;
        return random.Next(10) switch
        {
            0 => FrozenGuard(node),
            1 => Frozen(node),
            2 => ($"freeze server of {node}", () => Now(() => pair.FreezeServer(node)), () => Now(() => pair.Thaw(node))),
            3 => FrozenBootstrapServer(),
            4 => CutLinks($"{node} from witness", pair.WitnessLink(node)),
            5 => CutLinks("nodes", pair.ReplicationLink(primary), pair.ReplicationLink(standby)),
            6 => CutLinks($"workers from {node}", guardLinks[node], clientLinks[node]),
            7 => CutOff(node),
            8 => Break($"{node} to witness, and between nodes", pair.WitnessLink(node), pair.ReplicationLink(primary), pair.ReplicationLink(standby)),
            _ => Break("of workers", [workersToWitness, .. guardLinks.Values, .. clientLinks.Values]),
        };

        static (string, Func<Task>, Func<Task>) Break(string what, params Link[] links) => ($"break connections {what}", () => Each(links, link => link.Break()), () => Each(links, link => link.Restore()));
    }

    private (string, Func<Task>, Func<Task>) FrozenGuard(string node) => ($"freeze guard of {node}", () => Now(() => pair.FreezeGuard(node)), () => Now(() => pair.ThawGuard(node)));

    private (string, Func<Task>, Func<Task>) Frozen(string node) => ($"freeze {node}", () => Now(() => pair.Freeze(node)), () => Now(() => pair.Thaw(node)));

    private (string, Func<Task>, Func<Task>) FrozenBootstrapServer() => ("freeze bootstrap server", () => Now(() => SignalServer(GuardedPair.Stop)), () => Now(() => SignalServer(GuardedPair.Continue)));

    private (string, Func<Task>, Func<Task>) CutOff(string region) => ($"cut workers of {region} from bootstrap server",
        () => Now(() => workers.GetValueOrDefault(region)?.CutOff()), () => Now(() => workers.GetValueOrDefault(region)?.Reach()));

    private static (string, Func<Task>, Func<Task>) CutLinks(string what, params Link[] links) => ($"cut {what}", () => Each(links, link => link.Cut()), () => Each(links, link => link.Restore()));

    private async Task DisturbOnceAsync(Func<Task> hit, Func<Task> heal, TimeSpan lasts)
    {
        await hit();
        await Task.Delay(lasts, Ct);
        await heal();
    }

    /// <summary>Everything that died is started again, and everything that was cut or frozen goes on.</summary>
    private async Task HealAsync()
    {
        await HealLinksAsync();
        SignalServer(GuardedPair.Continue);
        foreach (var node in pair.Files.Nodes)
        {
            pair.Thaw(node);
            await StartGuardAsync(node);
        }

        await StartServerAsync();
        await StartWorkersAsync();
        if (brainLost)
            await BeginAsync();
        brainLost = false;
        Say("healed");
    }

    private Task HealLinksAsync()
    {
        foreach (var cut in workers.Values)
            cut.Reach();
        return Each([.. guardLinks.Values, .. clientLinks.Values, workersToWitness, .. pair.Files.Nodes.SelectMany(node => new[] { pair.WitnessLink(node), pair.ReplicationLink(node) })], link => link.Restore());
    }

    private Task Arm(string step, Moment moment, Func<Task> fire)
    {
        var one = new Armed(step, moment, fire);
        Volatile.Write(ref armed, one);
        return one.Fired.Task;
    }

    private async Task ReachedAsync(string step, Moment moment)
    {
        if (aborting && (step, moment) == ("claim", Moment.AfterEffect))
        {
            aborting = false;
            await Run.ExecuteUpdateAsync<ControlResult>("abort", [new AbortInput("the test wants it")]);
        }

        if (Volatile.Read(ref armed) is not { } one || one.Step != step || one.Moment != moment || Interlocked.CompareExchange(ref armed, null, one) != one)
            return;
        try
        {
            await one.Fire();
        }
        finally
        {
            one.Fired.TrySetResult();
        }
    }

    /// <summary>The server alone knows that a step's end has reached it.</summary>
    private async Task FollowCompletionsAsync()
    {
        var (run, seen) = ("", 0L);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var request = new GetWorkflowExecutionHistoryRequest { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = RegionFailover.WorkflowId(Environment) }, WaitNewEvent = true };
                while (!stop.IsCancellationRequested)
                {
                    var page = await client.WorkflowService.GetWorkflowExecutionHistoryAsync(request, new() { CancellationToken = stop.Token, Retry = false, Timeout = TimeSpan.FromSeconds(20) });
                    foreach (var passed in page.History.Events)
                    {
                        // It has continued as new, or begun anew on an empty server: its events are counted from one again.
                        if (passed.WorkflowExecutionStartedEventAttributes is { } begun && begun.OriginalExecutionRunId != run)
                        {
                            (run, seen) = (begun.OriginalExecutionRunId, 0);
                            scheduled.Clear();
                        }

                        if (passed.EventId <= seen)
                            continue;
                        seen = passed.EventId;
                        if (passed.ActivityTaskScheduledEventAttributes is { } task)
                            scheduled[passed.EventId] = StepOf(task.ActivityType.Name);
                        else if (passed.ActivityTaskCompletedEventAttributes is { } completed && scheduled.TryGetValue(completed.ScheduledEventId, out var step))
                            await ReachedAsync(step, Moment.AfterCompletion);
                    }

                    request.NextPageToken = page.NextPageToken;
                    if (page.NextPageToken.IsEmpty)
                        break;
                }
            }
            catch (Exception failure) when (failure is RpcException or OperationCanceledException or TimeoutException)
            {
                if (!stop.IsCancellationRequested)
                    await Task.Delay(50);
            }
        }
    }

    internal static string StepOf(string activity) => activity switch
    {
        "ClaimEpoch" => "claim",
        "CheckReadiness" => "readiness",
        "MoveNamespaces" => "namespaces",
        "ScaleRegion" => "scale",
        "RunCanary" => "canary",
        _ => char.ToLowerInvariant(activity[0]) + activity[1..],
    };
}
