using System.Diagnostics;
using Npgsql;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The postmaster, the guard, or both are killed.</summary>
public sealed class GuardKillTests(ITestOutputHelper output) : GuardScenario(output)
{
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
        var stopped = await pair.UntilAsync(First, node => node.Fenced);
        Assert.Equal((null, synchronous), (stopped.Synchronous, stopped.CommitsWaited));
        Assert.Empty(pair.Data(First).Processes());
        await FailOverAsync(pair, ledger, killed, fenced: true);
        var (lost, _) = await AccountAsync(pair, ledger);
        Assert.True(!synchronous || lost == 0);
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
        await FailOverAsync(pair, ledger, killed, fenced: false);
        Assert.NotNull(pair.Data(First).Postmaster());

        await pair.StartGuardAsync(First);
        var stopped = await pair.UntilAsync(First, node => node is { Fenced: true, Role: NodeRole.Stopped });
        // This guard has not seen the server, and remembers what it had it do.
        Assert.Equal(synchronous ? null : false, stopped.CommitsWaited);
        var (lost, _) = await AccountAsync(pair, ledger);
        Assert.True(!synchronous || lost == 0);
    }

    [Fact]
    public async Task A_node_that_is_gone_is_replaced_when_its_lease_is_over()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: true);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(300);

        var killed = Stopwatch.GetTimestamp();
        var postmaster = pair.Data(First).Postmaster()!.Value;
        pair.KillGuard(First);
        Guard.Posix.Signal(postmaster, Guard.Posix.Kill);
        await FailOverAsync(pair, ledger, killed, fenced: false);

        await pair.StartGuardAsync(First);
        await pair.UntilAsync(First, node => node is { Fenced: true, Role: NodeRole.Stopped });
        var (lost, _) = await AccountAsync(pair, ledger);
        Assert.Equal(0, lost);
    }

    [Fact]
    public async Task A_server_that_was_stopped_in_its_recovery_is_rewound_and_follows_on_the_new_timeline()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: true);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(300);

        // What is written from now on exists here only.
        pair.ReplicationLink(Second).Cut();
        var alone = await pair.UntilAsync(First, node => node.Streaming == false);
        Assert.Equal((false, true), (alone.Synchronous, alone.CommitsWaited));
        await WriteHereOnlyAsync(pair);
        var killed = Stopwatch.GetTimestamp();
        await pair.LoseAsync(First);
        pair.ReplicationLink(Second).Restore();
        await FailOverAsync(pair, ledger, killed, fenced: false);
        await pair.StopInRecoveryAsync(First);

        await pair.StartGuardAsync(First);
        await pair.UntilAsync(First, node => node is { Fenced: true, Role: NodeRole.Stopped });
        var (lost, divergence) = await AccountAsync(pair, ledger);

        Assert.Equal(0, lost);
        Assert.True(divergence.ToLsn > divergence.FromLsn);
        Assert.DoesNotContain("cloning", pair.Log(First), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guard_that_is_killed_again_and_again_serves_on_in_its_epoch_each_time()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: true);
        await using var ledger = Ledger.Start(pair);
        var postmaster = pair.Data(First).Postmaster();
        for (var time = 0; time < 3; time++)
        {
            await ledger.MoreAsync(100);
            pair.KillGuard(First);
            await pair.StartGuardAsync(First);
        }

        await ledger.MoreAsync(100);
        await ledger.StopAsync();
        Assert.Equal((1L, true), (await pair.LookAsync(First)) is { } node ? (node.Epoch, node.Synchronous) : default);
        Assert.Equal(postmaster, pair.Data(First).Postmaster());
        Assert.Equal((1, 0), (ledger.MaxWritable(), await ledger.LostAsync(First)));
    }

    [Fact]
    public async Task Whoever_watches_hears_once_of_a_server_that_died_when_all_is_done_about_it()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: false, GuardedPair.Patient);
        var node = await pair.UntilAsync(First, node => node is { Writable: true, Streaming: true });
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var watch = pair.Database.WatchAsync(First, node, TimeSpan.FromMinutes(2), patience.Token);
        pair.KillPostmaster(First);
        while ((node = await watch).Role != NodeRole.Stopped)
            watch = pair.Database.WatchAsync(First, node, TimeSpan.FromMinutes(2), patience.Token);

        Assert.True(node is { Fenced: true, Writable: false }, node.ToString());
        Assert.True((await pair.Witness.ReadAsync(Ct))!.Record is { Epoch: 1, Primary: First, Lease.Released: true });
    }

    [Fact]
    public async Task A_server_that_died_starts_again_in_place_when_it_is_told_to()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: false, GuardedPair.Patient);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(100);

        pair.KillPostmaster(First);
        await pair.UntilAsync(First, node => node.Fenced);
        var node = await pair.Database.UnfenceAsync(First, epoch: 1, Ct);
        Assert.True(node.Writable, node.ToString());
        await ledger.MoreAsync(100);
        await ledger.StopAsync();
        Assert.Equal((1, 0), (ledger.MaxWritable(), await ledger.LostAsync(First)));
    }

    [Fact]
    public async Task Nobody_writes_into_a_node_any_more_whose_guard_was_killed_while_it_cloned()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: false);
        var data = pair.Data(Second);
        pair.KillGuard(Second);
        while (data.Processes() is { Count: > 0 } left)
            left.ToList().ForEach(process => Guard.Posix.Signal(process, Guard.Posix.Kill));
        File.Delete(data.In("global/pg_control"));
        await pair.StartGuardAsync(Second);
        await pair.UntilAsync(Second, _ => true);
        await pair.Database.FollowAsync(Second, First, epoch: 1, Ct);

        IReadOnlyList<int> cloning;
        while ((cloning = [.. data.Processes().Where(process => Name(process) == "pg_basebackup")]).Count == 0)
            await Task.Yield();
        foreach (var process in cloning)
            Guard.Posix.Signal(process, GuardedPair.Stop);
        pair.KillGuard(Second);
        await pair.StartGuardAsync(Second);
        await pair.UntilAsync(Second, node => node is { Role: NodeRole.Standby, Streaming: true });
        Assert.Empty(data.Processes().Intersect(cloning));
    }

    private static string? Name(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/comm").Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Commits that wait for the standby may have reached it before the link was cut: this one is begun after that, and waits for nobody.</summary>
    private static async Task WriteHereOnlyAsync(GuardedPair pair)
    {
        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={pair.ClientPort(First)};Username=app;Password=app;Database=postgres;Pooling=false;SSL Mode=Disable;Options=-c synchronous_commit=local");
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand("SELECT pg_logical_emit_message(true, 'test', 'only here')", connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
