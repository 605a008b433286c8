using System.Diagnostics;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What happens to acknowledged rows, and to who may write, when something of a pair dies, freezes or is cut off. Nobody decides here: the test claims and promotes.</summary>
public sealed class GuardTests(ITestOutputHelper output)
{
    private const string First = GuardedPair.First, Second = GuardedPair.Second;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_killed_postmaster_gives_its_lease_back_and_nobody_waits(bool synchronous)
    {
        await using var pair = await GuardedPair.StartAsync(synchronous);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(300);

        var killed = Stopwatch.GetTimestamp();
        pair.KillPostmaster(First);
        await pair.UntilAsync(First, node => node.Fenced);
        var fenced = Stopwatch.GetElapsedTime(killed);
        await FailOverAsync(pair, ledger, killed, fencedByGuard: true, $"postmaster killed, fenced after {fenced.TotalMilliseconds:0} ms");
        await AccountAsync(pair, ledger, synchronous);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_killed_guard_takes_its_node_out_of_service(bool synchronous)
    {
        await using var pair = await GuardedPair.StartAsync(synchronous);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(300);

        var killed = Stopwatch.GetTimestamp();
        pair.KillGuard(First);
        await FailOverAsync(pair, ledger, killed, fencedByGuard: false, "guard killed");
        Assert.NotNull(pair.Data(First).Postmaster());

        await pair.StartGuardAsync(First);
        await pair.UntilAsync(First, node => node is { Fenced: true, Role: NodeRole.Stopped });
        await AccountAsync(pair, ledger, synchronous);
    }

    private async Task FailOverAsync(GuardedPair pair, Ledger ledger, long since, bool fencedByGuard, string what)
    {
        var epoch = await pair.ClaimAsync(Second, fencedByGuard);
        var claimed = Stopwatch.GetElapsedTime(since);
        var node = await pair.Database.PromoteAsync(Second, epoch, Ct);
        var promoted = Stopwatch.GetElapsedTime(since);
        Assert.True(node.Writable, node.ToString());
        await ledger.MoreAsync(200);
        var first = ledger.FirstAfter(since + (long)(claimed.TotalSeconds * Stopwatch.Frequency));
        output.WriteLine($"{what}: claimed {claimed.TotalMilliseconds:0} ms, promoted {promoted.TotalMilliseconds:0} ms, first acknowledged write {Stopwatch.GetElapsedTime(since, first!.Value).TotalMilliseconds:0} ms");
    }

    /// <summary>The old primary becomes a standby of the new one, and every row is accounted for.</summary>
    private async Task AccountAsync(GuardedPair pair, Ledger ledger, bool synchronous)
    {
        await ledger.StopAsync();
        var epoch = (await pair.LookAsync(Second))!.Epoch;
        var divergence = await pair.Database.ExportDivergenceAsync(First, Second, epoch, Ct);
        var lost = await ledger.LostAsync(Second);
        output.WriteLine($"{ledger.Acknowledged} acknowledged, {ledger.InDoubt} in doubt, {lost.Count} lost, divergence {divergence}");
        Assert.Equal(1, ledger.MaxWritable());
        if (synchronous)
            Assert.Empty(lost);
        Assert.True(lost.Count <= divergence.Rows, $"{lost.Count} rows are lost, and only {divergence.Rows} are said to be");

        var started = Stopwatch.GetTimestamp();
        await pair.Database.FollowAsync(First, Second, epoch, Ct);
        await pair.UntilAsync(First, node => node is { Role: NodeRole.Standby, Streaming: true, Fenced: false });
        output.WriteLine($"followed after {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms");
        await pair.UntilAsync(Second, node => node is { Streaming: true, Writable: true });
    }
}
