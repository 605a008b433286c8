using PlatformOps.Guard;
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
        switch (cause)
        {
            case Cause.NodeLost:
                await pair.LoseAsync(primary);
                break;
            case Cause.PostmasterKilled:
                pair.KillPostmaster(primary);
                break;
            default:
                await AskAsync();
                break;
        }
    }

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
                KillWorkers();
                break;
            case Victim.BootstrapServer:
                await KillServerAsync();
                break;
            case Victim.Brain:
                KillWorkers();
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
            default:
                var node = victim == Victim.WorkersToOldPrimary ? primary : standby;
                guardLinks[node].Cut();
                clientLinks[node].Cut();
                break;
        }
    }

    private (string What, Func<Task> Hit, Func<Task> Heal) RandomFault(Random random)
    {
        var node = random.Next(2) == 0 ? GuardedPair.First : GuardedPair.Second;
        (string, Func<Task>, Func<Task>) Cut(string what, params Link[] links) => ($"cut {what}", () => Each(links, link => link.Cut()), () => Each(links, link => link.Restore()));
        return random.Next(13) switch
        {
            0 => ($"lose {node}", () => pair.LoseAsync(node), () => StartGuardAsync(node, mayDie: true)),
            1 => ($"kill guard of {node}", () => Now(() => pair.KillGuard(node)), () => StartGuardAsync(node, mayDie: true)),
            2 => ($"kill server of {node}", () => Now(() => _ = pair.Data(node).Postmaster() is { } process ? Signal(process) : 0), () => Task.CompletedTask),
            3 => ($"freeze guard of {node}", () => Now(() => pair.FreezeGuard(node)), () => Now(() => pair.ThawGuard(node))),
            4 => ($"freeze {node}", () => Now(() => pair.Freeze(node)), () => Now(() => pair.Thaw(node))),
            5 => ("kill workers", () => Now(KillWorkers), StartWorkersAsync),
            6 => ("kill bootstrap server", KillServerAsync, StartServerAsync),
            7 => ("freeze bootstrap server", () => Now(() => SignalServer(19)), () => Now(() => SignalServer(18))),
            8 or 9 => Cut($"{node} from witness", pair.WitnessLink(node)),
            10 => Cut("nodes", pair.ReplicationLink(GuardedPair.First), pair.ReplicationLink(GuardedPair.Second)),
            11 => Cut($"workers from {node}", guardLinks[node], clientLinks[node]),
            _ => Cut($"{node} from everything", pair.WitnessLink(node), pair.ReplicationLink(GuardedPair.First), pair.ReplicationLink(GuardedPair.Second), guardLinks[node], clientLinks[node]),
        };

        static int Signal(int process)
        {
            Posix.Signal(process, Posix.Kill);
            return 0;
        }
    }

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
        SignalServer(18);
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

    private Task HealLinksAsync() => Each(
        [.. guardLinks.Values, .. clientLinks.Values, workersToWitness, .. pair.Files.Nodes.SelectMany(node => new[] { pair.WitnessLink(node), pair.ReplicationLink(node) })], link => link.Restore());

    private Task Arm(string step, Moment moment, Func<Task> fire)
    {
        var one = new Armed(step, moment, fire);
        Volatile.Write(ref armed, one);
        return one.Fired.Task;
    }

    private async Task ReachedAsync(string step, Moment moment)
    {
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
        var seen = 0L;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var request = new GetWorkflowExecutionHistoryRequest { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = RegionFailover.WorkflowId(Environment) }, WaitNewEvent = true };
                while (!stop.IsCancellationRequested)
                {
                    var page = await client.WorkflowService.GetWorkflowExecutionHistoryAsync(request, new() { CancellationToken = stop.Token, Retry = false, Timeout = TimeSpan.FromSeconds(20) });
                    foreach (var passed in page.History.Events.Where(known => known.EventId > seen))
                    {
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

    private static string StepOf(string activity) => activity switch { "ClaimEpoch" => "claim", "CheckReadiness" => "readiness", _ => char.ToLowerInvariant(activity[0]) + activity[1..] };
}
