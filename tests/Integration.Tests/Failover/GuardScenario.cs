using System.Diagnostics;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What happens to acknowledged rows, and to who may write, when something of a pair dies, freezes or is cut off. Nobody decides here: a test claims and promotes.</summary>
public abstract class GuardScenario(ITestOutputHelper output)
{
    protected const string First = GuardedPair.First, Second = GuardedPair.Second;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected ITestOutputHelper Output => output;

    /// <summary>A failover without a decision.</summary>
    /// <param name="since">The moment of what went wrong.</param>
    /// <param name="fenced">The old primary's guard says that it is stopped and fenced.</param>
    private protected async Task FailOverAsync(GuardedPair pair, Ledger ledger, long since, bool fenced)
    {
        var epoch = await pair.ClaimAsync(Second, fenced);
        var claimed = Stopwatch.GetTimestamp();
        var node = await pair.PromoteAsync(Second, epoch);
        var promoted = Stopwatch.GetElapsedTime(since);
        Assert.True(node.Writable, node.ToString());
        await ledger.MoreAsync(200);
        output.WriteLine($"claimed {Stopwatch.GetElapsedTime(since, claimed).TotalMilliseconds:0} ms, promoted {promoted.TotalMilliseconds:0} ms, "
            + $"first acknowledged write {Stopwatch.GetElapsedTime(since, ledger.FirstAfter(claimed)!.Value).TotalMilliseconds:0} ms after");
    }

    /// <summary>The old primary becomes a standby of the new one, and every row is accounted for.</summary>
    private protected async Task<(int Lost, Adapters.Failover.Divergence Divergence)> AccountAsync(GuardedPair pair, Ledger ledger)
    {
        await ledger.StopAsync();
        var epoch = (await pair.LookAsync(Second))!.Epoch;
        var divergence = await pair.Database.ExportDivergenceAsync(First, Second, epoch, Ct);
        var lost = await ledger.LostAsync(Second);
        output.WriteLine($"{ledger.Acknowledged} acknowledged, {ledger.InDoubt} in doubt, {lost} lost, {divergence}");
        Assert.Equal(1, ledger.MaxWritable());
        // What exists on the old primary only is what was acknowledged and is lost, and what may be there of what nobody knows.
        Assert.InRange(divergence.Rows - lost, 0, ledger.InDoubt);

        var started = Stopwatch.GetTimestamp();
        await pair.Database.FollowAsync(First, Second, epoch, Ct);
        await pair.UntilAsync(First, node => node is { Role: NodeRole.Standby, Streaming: true, Fenced: false });
        var primary = await pair.UntilAsync(Second, node => node is { Streaming: true, Writable: true });
        // One that cannot follow seems to stream from time to time.
        await pair.UntilAsync(First, node => node.ReceivedLsn >= primary.ReceivedLsn);
        output.WriteLine($"followed after {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms");
        return (lost, divergence);
    }
}
