using PlatformOps.Adapters;
using PlatformOps.Guard.Backups;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A guard that is killed while restored data takes the place of its node's: each of the three states that the two renames can leave is one from which it goes back, and on.</summary>
public sealed class ExchangeKillTests
{
    private const string Node = GuardedPair.First, Operation = "restore-1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_guard_that_is_killed_anywhere_in_an_exchange_never_serves_half_of_it_and_loses_neither()
    {
        await using var pair = await BackedUpPair.StartAsync();
        var (guards, data) = (pair.Pair, pair.Pair.Files[Node].Data);
        var places = new DataPlaces(data, Operation);
        await pair.OwnSqlAsync("CREATE TABLE kept (word text); GRANT ALL ON kept TO app; INSERT INTO kept VALUES ('of the set')");
        var set = await pair.Store.MakeAsync("op-1", BackupMethod.Full, _ => { }, Ct);
        var moment = new DateTimeOffset((DateTime)(await pair.SqlAsync("SELECT clock_timestamp()"))!, TimeSpan.Zero);
        await pair.SqlAsync("INSERT INTO kept VALUES ('of later')");
        await pair.ArchivedAsync();
        await pair.Store.StageAsync(Node, Operation, set.Label, moment, _ => { }, Ct);
        await pair.Store.ProveAsync(Node, Operation, TimeSpan.FromMinutes(2), _ => { }, Ct);
        var epoch = (await guards.LookAsync(Node))!.Epoch;

        await FenceAsync(epoch);
        await pair.Store.PlaceAsync(Node, Operation, epoch, Ct);
        foreach (var renames in new[] { 0, 1, 2 })
        {
            await KillAfterAsync(renames);
            // Whatever is in its place, nothing is opened by a guard that starts.
            Assert.Equal((0, true), (await WritableAsync(), (await guards.LookAsync(Node))!.Fenced));
            if (renames < 2)
            {
                var refused = await Assert.ThrowsAsync<AdapterException>(() => guards.Database.PromoteAsync(Node, epoch, Ct));
                Assert.Contains("half in its place", refused.Message, StringComparison.Ordinal);
            }

            await pair.Store.PutBackAsync(Node, Operation, epoch, Ct);
            Assert.Equal((false, true), (Directory.Exists(places.Kept), Directory.Exists(places.Restored)));
            await pair.Store.PlaceAsync(Node, Operation, epoch, Ct);
        }

        // Back from the middle: what was to be replaced serves, with all that it had.
        await KillAfterAsync(1);
        await pair.Store.PutBackAsync(Node, Operation, epoch, Ct);
        await guards.Database.UnfenceAsync(Node, epoch, Ct);
        await guards.UntilAsync(Node, node => node.Writable);
        Assert.Equal((1, "of later, of the set"), (await WritableAsync(), await WordsAsync()));

        // On from the middle: what was restored serves, in an epoch of its own.
        await FenceAsync(epoch);
        await pair.Store.PlaceAsync(Node, Operation, epoch, Ct);
        await KillAfterAsync(1);
        await pair.Store.PlaceAsync(Node, Operation, epoch, Ct);
        await guards.PromoteAsync(Node, await guards.ClaimAsync(Node, fenced: true));
        Assert.Equal((1, "of the set"), (await WritableAsync(), await WordsAsync()));
        Assert.True(File.Exists(Path.Combine(places.Kept, "PG_VERSION")));
        var late = await Assert.ThrowsAsync<AdapterException>(() => pair.Store.PutBackAsync(Node, Operation, epoch + 1, Ct));
        Assert.Contains("was opened: there is no way back", late.Message, StringComparison.Ordinal);

        async Task FenceAsync(long of)
        {
            foreach (var node in new[] { Node, GuardedPair.Second })
                await guards.Database.FenceAsync(node, of, TimeSpan.FromSeconds(5), Ct);
            await pair.Store.SecureAsync(Node, Operation, of, [], Ct);
        }

        // Each rename is one step of the file system: a guard that is killed leaves what is before it, or after it. From the state after both, the other two are made.
        async Task KillAfterAsync(int renames)
        {
            guards.KillGuard(Node);
            if (renames < 2)
                Directory.Move(data, places.Restored);
            if (renames < 1)
                Directory.Move(places.Kept, data);
            await guards.StartGuardAsync(Node);
        }

        async Task<int> WritableAsync() => new[] { await guards.LookAsync(Node), await guards.LookAsync(GuardedPair.Second) }.Count(node => node is { Writable: true });

        async Task<string> WordsAsync() => $"{await pair.SqlAsync("SELECT string_agg(word, ', ' ORDER BY word) FROM kept")}";
    }
}
