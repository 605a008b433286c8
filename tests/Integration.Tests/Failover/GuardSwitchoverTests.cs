using System.Diagnostics;
using Npgsql;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A planned change of places, its way back, and whom the guards obey.</summary>
public sealed class GuardSwitchoverTests(ITestOutputHelper output) : GuardScenario(output)
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_planned_change_of_places_loses_nothing_and_leaves_nothing_in_doubt(bool synchronous)
    {
        await using var pair = await GuardedPair.StartAsync(synchronous, GuardedPair.Patient);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(300);

        var begun = Stopwatch.GetTimestamp();
        var old = await pair.Database.FenceAsync(First, epoch: 1, Drain, Ct);
        Output.WriteLine($"fenced after {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms");
        Assert.True(old.Fenced, old.ToString());
        var standby = await pair.LookAsync(Second);
        Assert.True(standby!.ReceivedLsn >= old.ReceivedLsn, $"{standby} lacks the end of {old}");
        await FailOverAsync(pair, ledger, begun, fenced: true);
        Output.WriteLine($"longest time without an acknowledged write: {ledger.Gap(begun).TotalMilliseconds:0} ms");
        var (lost, divergence) = await AccountAsync(pair, ledger);
        Assert.Equal((0, 0, 0), (lost, ledger.InDoubt, divergence.Rows));
    }

    [Fact]
    public async Task Before_anybody_else_is_primary_a_fence_can_be_taken_back()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: true, GuardedPair.Patient);
        await using var ledger = Ledger.Start(pair);
        await ledger.MoreAsync(100);

        await pair.Database.FenceAsync(First, epoch: 1, Drain, Ct);
        var again = await pair.Database.FenceAsync(First, epoch: 1, TimeSpan.Zero, Ct);
        Assert.True(again is { Fenced: true, Writable: false }, again.ToString());
        var node = await pair.Database.UnfenceAsync(First, epoch: 1, Ct);
        Assert.True(node is { Fenced: false, Writable: true, Epoch: 1 }, node.ToString());
        await ledger.MoreAsync(100);
        await ledger.StopAsync();
        Assert.Equal((1, 0), (ledger.MaxWritable(), await ledger.LostAsync(First)));
    }

    [Fact]
    public async Task Guards_obey_only_the_newest_epoch_the_witness_and_those_whom_they_know()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: false, GuardedPair.Patient);
        var database = pair.Database;
        Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<AdapterException>(() => database.PromoteAsync(Second, 2, Ct))).Kind);

        await database.FenceAsync(First, epoch: 5, TimeSpan.Zero, Ct);
        foreach (var old in new Func<Task>[]
        {
            () => database.UnfenceAsync(First, 4, Ct), () => database.PromoteAsync(First, 4, Ct), () => database.FollowAsync(First, Second, 4, Ct),
            () => database.SetSynchronousAsync(First, false, 4, Ct), () => database.ExportDivergenceAsync(First, Second, 4, Ct), () => database.FenceAsync(First, 4, TimeSpan.Zero, Ct),
        })
        {
            var refusal = await Assert.ThrowsAsync<AdapterException>(old);
            Assert.Equal(AdapterFailureKind.Rejected, refusal.Kind);
            Assert.Contains("epoch 4 is over", refusal.Message, StringComparison.Ordinal);
        }

        var certificates = pair.Files.Certificates;
        using var onlooker = new GuardedPostgres(pair.Files.Access with { Certificate = certificates.Certificate(Second), Key = certificates.Key(Second) });
        Assert.Equal(5, (await onlooker.ObserveAsync(First, Ct)).Epoch);
        Assert.Equal(AdapterFailureKind.Forbidden, (await Assert.ThrowsAsync<AdapterException>(() => onlooker.UnfenceAsync(First, 5, Ct))).Kind);
        var strange = new Starter.Failover.LocalCertificates(Path.Combine(pair.Files.Folder, "strange"), TimeProvider.System);
        strange.Make(Starter.Failover.LocalPair.Operator);
        var (name, key) = (strange.Certificate(Starter.Failover.LocalPair.Operator), strange.Key(Starter.Failover.LocalPair.Operator));
        using var stranger = new GuardedPostgres(pair.Files.Access with { Certificate = name, Key = key });
        await Assert.ThrowsAsync<AdapterException>(() => stranger.ObserveAsync(First, Ct));
    }

    [Fact]
    public async Task A_client_of_the_standby_is_told_who_is_primary_so_that_it_goes_on_to_the_next_host()
    {
        await using var pair = await GuardedPair.StartAsync(synchronous: false, GuardedPair.Patient);
        var login = "Username=app;Password=app;Database=postgres;Pooling=false;SSL Mode=Disable";
        await using var alone = new NpgsqlConnection($"Host=127.0.0.1;Port={pair.ClientPort(Second)};{login}");
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => alone.OpenAsync(Ct));
        Assert.Equal("57P03", refusal.SqlState);
        Assert.Contains($"{First} is, in epoch 1", refusal.MessageText, StringComparison.Ordinal);

        await using var both = new NpgsqlDataSourceBuilder($"Host=127.0.0.1:{pair.ClientPort(Second)},127.0.0.1:{pair.ClientPort(First)};{login}").BuildMultiHost();
        await using var connection = await both.OpenConnectionAsync(Ct);
        await using var command = new NpgsqlCommand("INSERT INTO ledger VALUES (1)", connection);
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Ct));

        await using var guards = new NpgsqlConnection($"Host=127.0.0.1;Port={pair.ClientPort(First)};Username=platformops_guard;Password=x;Database=postgres;Pooling=false;SSL Mode=Disable");
        Assert.Equal("28000", (await Assert.ThrowsAsync<PostgresException>(() => guards.OpenAsync(Ct))).SqlState);
    }
}
