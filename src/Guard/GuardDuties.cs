using Microsoft.Extensions.Logging;
using PlatformOps.Adapters;
using PlatformOps.Guard.Changes;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard;

/// <summary>Does what the rules say, again and again, between the changes that are asked for.</summary>
internal sealed class GuardDuties(GuardParts parts, Fencing fencing, Promotion promotion, Rebuilding rebuilding) : IDisposable
{
    /// <summary>For a server to start: recovery after a crash reads its log.</summary>
    public static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    /// <summary>For what follows by itself after a change.</summary>
    public static readonly TimeSpan OpenPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim nudge = new(0, 1);
    private CancellationTokenSource? interruptible;
    private (string Message, long At)? failed;

    /// <summary>What the rules say now.</summary>
    public GuardDuty Duty() => GuardRules.Decide(parts.Memory.Memory, parts.Configuration.Node, parts.Server.Data.Content, parts.Keeper.View);

    /// <summary>Has it look now.</summary>
    public void Nudge()
    {
        try
        {
            if (nudge.CurrentCount == 0)
                nudge.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else did.
        }
    }

    /// <summary>Makes room for a change: the making of a standby may take hours.</summary>
    public void Interrupt() => Interlocked.Exchange(ref interruptible, null)?.Cancel();

    /// <param name="turn">One change at a time.</param>
    public async Task RunAsync(SemaphoreSlim turn, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if ((failed is null || parts.Clock.GetElapsedTime(failed.Value.At) > Again) && Wanted())
            {
                await turn.WaitAsync(ct);
                using var mine = CancellationTokenSource.CreateLinkedTokenSource(ct);
                Interlocked.Exchange(ref interruptible, mine);
                try
                {
                    await DoAsync(mine.Token);
                    parts.Status.Troubled(null);
                    failed = null;
                }
                catch (OperationCanceledException) when (!ct.IsCancellationRequested)
                {
                    // A change is asked for; what is left of this duty comes after it.
                }
                catch (Exception failure) when (failure is GuardException or AdapterException or IOException)
                {
                    if (failed?.Message != failure.Message)
                        parts.Log.LogError("{Failure}", failure.Message);
                    parts.Status.Troubled(failure.Message);
                    failed = (failure.Message, parts.Clock.GetTimestamp());
                }
                finally
                {
                    Interlocked.CompareExchange(ref interruptible, null, mine);
                    turn.Release();
                }
            }
            else if (failed is not null && !Wanted())
            {
                // Somebody else did it, for example a promotion: what need not be done is no trouble any more.
                parts.Status.Troubled(null);
                failed = null;
            }

            await nudge.WaitAsync(Look, ct);
        }
    }

    /// <summary>Takes the lease when it may be taken, and opens.</summary>
    public async Task OpenAsync(CancellationToken ct)
    {
        if (!parts.Keeper.Held.Valid)
            await parts.Keeper.TakeAsync(ct);
        if (parts.Keeper.Held.Valid && parts.Server.Ready)
            await promotion.OpenAsync(ct);
    }

    public void Dispose() => nudge.Dispose();

    private bool Wanted() => Duty().Task switch
    {
        GuardTask.StayDown => parts.Server.Running || parts.Server.Data.Postmaster() is not null,
        GuardTask.RunStandby or GuardTask.RunClosed => !parts.Server.Running,
        GuardTask.Serve => !parts.Server.Running || (!parts.Gate.IsOpen && parts.Keeper.Held.Valid),
        _ => true,
    };

    private async Task DoAsync(CancellationToken ct)
    {
        var duty = Duty();
        switch (duty.Task)
        {
            case GuardTask.StayDown:
                await parts.Server.StopAsync(TimeSpan.FromSeconds(5), ct);
                parts.Status.Down(null);
                break;
            case GuardTask.Fence:
                await fencing.FenceAsync(parts.Memory.Memory.Epoch, TimeSpan.Zero, duty.Why, OpenPatience, ct);
                break;
            case GuardTask.Rebuild:
                await rebuilding.RunAsync(parts.Memory.Memory.Rebuild!, StartPatience, ct);
                break;
            case GuardTask.RunStandby or GuardTask.RunClosed:
                await parts.Server.StartAsync(parts.Memory.Memory, StartPatience, ct);
                break;
            case GuardTask.Serve:
                await parts.Server.StartAsync(parts.Memory.Memory, StartPatience, ct);
                if (!parts.Gate.IsOpen)
                    await OpenAsync(ct);
                break;
        }
    }
}
