using System.Diagnostics;
using Npgsql;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The guard is frozen, or cut off from the witness or from the other node.</summary>
public sealed class GuardPartitionTests(ITestOutputHelper output) : GuardScenario(output)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_frozen_guard_passes_nothing_on_when_it_goes_on_after_the_failover(bool synchronous)
    {
        await using var pair = await GuardedPair.StartAsync(synchronous);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(300);

        var frozen = Stopwatch.GetTimestamp();
        pair.FreezeGuard(First);
        await FailOverAsync(pair, ledger, frozen, fenced: false);
        pair.ThawGuard(First);
        await pair.UntilAsync(First, node => node is { Fenced: true, Role: NodeRole.Stopped });
        await ledger.MoreAsync(100);
        var (lost, _) = await AccountAsync(pair, ledger);
        Assert.True(!synchronous || lost == 0);
    }

    [Fact]
    public async Task A_primary_that_cannot_renew_its_lease_lets_nobody_through_and_goes_on_when_it_can()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: true);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(100);

        pair.WitnessLink(First).Cut();
        await pair.UntilAsync(First, node => node is { Writable: false, Fenced: false, Role: NodeRole.Primary });
        pair.WitnessLink(First).Restore();
        await pair.UntilAsync(First, node => node is { Writable: true, Epoch: 1 });
        await ledger.MoreAsync(100);

        var cut = Stopwatch.GetTimestamp();
        pair.WitnessLink(First).Cut();
        await FailOverAsync(pair, ledger, cut, fenced: false);
        pair.WitnessLink(First).Restore();
        await pair.UntilAsync(First, node => node is { Fenced: true, Role: NodeRole.Stopped });
        var (lost, _) = await AccountAsync(pair, ledger);
        Assert.Equal(0, lost);
    }

    [Fact]
    public async Task Rows_that_the_standby_never_got_are_counted_and_kept()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: false);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(100);
        pair.ReplicationLink(Second).Cut();
        await ledger.MoreAsync(300);

        var killed = Stopwatch.GetTimestamp();
        pair.KillPostmaster(First);
        await pair.UntilAsync(First, node => node.Fenced);
        await FailOverAsync(pair, ledger, killed, fenced: true);
        pair.ReplicationLink(Second).Restore();
        var (lost, divergence) = await AccountAsync(pair, ledger);
        Assert.True(lost >= 300, $"{lost} rows are lost: the check sees no loss");
        Assert.True(Directory.EnumerateFiles(divergence.Location!, "0000*").Any());
        Assert.Equal(divergence, await pair.Database.ExportDivergenceAsync(First, Second, 2, Ct));
    }

    [Fact]
    public async Task A_commit_that_waits_for_the_standby_is_not_acknowledged_because_its_client_is_impatient()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: true, GuardedPair.Patient);
        await using var connection = new NpgsqlConnection(
            $"Host=127.0.0.1;Port={pair.ClientPort(First)};Username=app;Password=app;Database=postgres;Pooling=false;Command Timeout=1;Cancellation Timeout=1000;SSL Mode=Disable");
        await connection.OpenAsync(Ct);
        pair.ReplicationLink(Second).Cut();

        await using var command = new NpgsqlCommand("INSERT INTO ledger VALUES (1)", connection);
        var failure = await Assert.ThrowsAnyAsync<NpgsqlException>(() => command.ExecuteNonQueryAsync(Ct));
        Assert.IsNotType<PostgresException>(failure);
    }

    [Fact]
    public async Task Whoever_watches_a_guard_sees_at_once_that_it_is_frozen_or_dead()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: false);
        var known = await pair.UntilAsync(Second, node => node is { Streaming: true });
        var patience = TimeSpan.FromMinutes(10);

        var watch = pair.Database.WatchAsync(Second, known, patience, Ct);
        pair.FreezeGuard(Second);
        Assert.Equal(Adapters.AdapterFailureKind.Unavailable, (await Assert.ThrowsAsync<Adapters.AdapterException>(() => watch)).Kind);
        pair.ThawGuard(Second);
        known = await pair.UntilAsync(Second, node => node is { Streaming: true });
        watch = pair.Database.WatchAsync(Second, known, patience, Ct);
        pair.KillGuard(Second);
        Assert.Equal(Adapters.AdapterFailureKind.Unavailable, (await Assert.ThrowsAsync<Adapters.AdapterException>(() => watch)).Kind);
    }
}
