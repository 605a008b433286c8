using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The clients of the demonstration on a pair of the tests.</summary>
internal sealed class Ledger : IAsyncDisposable
{
    public const string Schema = Clients.Schema;

    private readonly GuardedPair pair;
    private readonly Clients clients;

    private Ledger(GuardedPair pair, int writers)
    {
        this.pair = pair;
        clients = new([pair.Files[GuardedPair.First].Clients.Listen, pair.Files[GuardedPair.Second].Clients.Listen], writers, TimeProvider.System);
    }

    /// <summary>How many rows of writers were acknowledged so far.</summary>
    public int Acknowledged => clients.Written;

    public int InDoubt => clients.InDoubt;

    public static Ledger Start(GuardedPair pair, int writers = 4) => new(pair, writers);

    public long? FirstAfter(long moment) => clients.FirstAfter(moment);

    public TimeSpan Gap(long moment) => clients.LongestGap(moment).Length;

    /// <summary>Waits until so many more rows were acknowledged.</summary>
    public Task MoreAsync(int rows)
    {
        var before = Acknowledged;
        return CommandLine.Wait.UntilAsync(
            () => Acknowledged >= before + rows, () => $"Only {Acknowledged - before} rows were acknowledged.\n{pair.Log(GuardedPair.First)}\n{pair.Log(GuardedPair.Second)}");
    }

    public Task StopAsync() => clients.StopAsync();

    public int MaxWritable() => clients.MaxWritable();

    public Task<int> LostAsync(string node) => clients.LostAsync(pair.Files[node].Clients.Listen, CancellationToken.None);

    public ValueTask DisposeAsync() => clients.DisposeAsync();
}
