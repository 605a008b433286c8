using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What every database must do that can change places, whoever operates it.</summary>
public abstract class FailoverDatabaseTests
{
    protected const string First = GuardedPair.First, Second = GuardedPair.Second;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_primary_is_fenced_and_the_other_promoted_twice_each_and_old_epochs_change_nothing()
    {
        await using var world = await NewAsync();
        Assert.True(await world.Database.ObserveAsync(First, Ct) is { Role: NodeRole.Primary, Writable: true, Fenced: false });
        Assert.True(await world.Database.ObserveAsync(Second, Ct) is { Role: NodeRole.Standby, Writable: false });
        var epoch = await ClaimAsync(world.Witness, Second);

        for (var time = 0; time < 2; time++)
            Assert.True(await world.Database.FenceAsync(First, epoch, TimeSpan.Zero, Ct) is { Fenced: true, Writable: false });
        for (var time = 0; time < 2; time++)
        {
            var promoted = await world.Database.PromoteAsync(Second, epoch, Ct);
            Assert.True(promoted is { Role: NodeRole.Primary, Writable: true } && promoted.Epoch == epoch, promoted.ToString());
        }

        var record = (await world.Witness.ReadAsync(Ct))!.Record;
        Assert.True(record is { Primary: Second, Lease.Released: false, Replaced: null } && record.Epoch == epoch);
        Func<Task>[] old =
        [
            () => world.Database.FenceAsync(Second, epoch - 1, TimeSpan.Zero, Ct),
            () => world.Database.UnfenceAsync(First, epoch - 1, Ct),
            () => world.Database.PromoteAsync(First, epoch - 1, Ct),
            () => world.Database.FollowAsync(First, Second, epoch - 1, Ct),
            // Of this epoch, and not its primary.
            () => world.Database.PromoteAsync(First, epoch, Ct),
        ];
        foreach (var call in old)
            Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<AdapterException>(call)).Kind);
        Assert.True((await world.Database.ObserveAsync(Second, Ct)).Writable);
        Assert.True(await world.Database.ObserveAsync(First, Ct) is { Fenced: true, Writable: false });
    }

    [Fact]
    public async Task A_fence_is_taken_back_twice()
    {
        await using var world = await NewAsync();
        Assert.True((await world.Database.FenceAsync(First, 1, TimeSpan.Zero, Ct)).Fenced);
        Assert.True((await world.Witness.ReadAsync(Ct))!.Record is { Epoch: 1, Lease.Released: true });

        for (var time = 0; time < 2; time++)
            Assert.True((await world.Database.UnfenceAsync(First, 1, Ct)).Writable);
        Assert.True((await world.Witness.ReadAsync(Ct))!.Record is { Epoch: 1, Lease.Released: false });
    }

    [Fact]
    public async Task After_a_planned_change_of_places_the_lease_was_given_back_and_the_old_primary_follows()
    {
        await using var world = await NewAsync();
        Assert.True((await world.Database.FenceAsync(First, 1, TimeSpan.FromSeconds(30), Ct)).Fenced);
        var found = (await world.Witness.ReadAsync(Ct))!;
        var claim = Assert.IsType<ClaimVerdict.Write>(ClaimRules.Claim(found.Record, Second, "op-2", 1, stalled: null, handedOver: true));
        await world.Witness.WriteAsync(claim.Record, found.Version, Ct);
        Assert.True((await world.Database.PromoteAsync(Second, 2, Ct)).Writable);

        await FollowsAsync(world.Database, 2);
        Assert.True((await world.Database.ObserveAsync(Second, Ct)).Writable);
    }

    private protected abstract Task<IDatabaseWorld> NewAsync();

    private protected virtual async Task FollowsAsync(IFailoverDatabase database, long epoch)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await database.FollowAsync(First, Second, epoch, patience.Token) is not { Role: NodeRole.Standby, Streaming: true })
            await Task.Delay(50, patience.Token);
    }

    /// <summary>Names a node primary of the next epoch, as a failover does.</summary>
    protected static async Task<long> ClaimAsync(IWitness witness, string primary)
    {
        while (true)
        {
            var found = (await witness.ReadAsync(Ct))!;
            try
            {
                return (await witness.WriteAsync(found.Record.Claim(primary, "test", fenced: false), found.Version, Ct)).Record.Epoch;
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
            {
                // A renewal was faster.
            }
        }
    }
}

/// <summary>A pair, the first node primary in epoch 1 with a lease, the second its standby.</summary>
internal interface IDatabaseWorld : IAsyncDisposable
{
    IFailoverDatabase Database { get; }

    IWitness Witness { get; }
}

/// <summary>Real servers behind real guards.</summary>
public sealed class GuardedDatabaseTests : FailoverDatabaseTests
{
    private protected override async Task<IDatabaseWorld> NewAsync() => new World(await GuardedPair.StartAsync(synchronous: true, GuardedPair.Patient));

    private sealed class World(GuardedPair pair) : IDatabaseWorld
    {
        public IFailoverDatabase Database => pair.Database;

        public IWitness Witness => pair.Witness;

        public ValueTask DisposeAsync() => pair.DisposeAsync();
    }
}
