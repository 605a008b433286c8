using System.Diagnostics;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Bench.Failover;

/// <summary>The scenarios of our demo with Patroni in the guards' place: the same clients, the same faults, the same account at the end.</summary>
internal static class PatroniScenarios
{
    /// <summary>Its defaults; as fast as its documentation allows; and below that. With the last two a server that stopped is replaced at once rather than started again.</summary>
    public static IReadOnlyList<PatroniSettings> Settings { get; } = [new(30, 10, 10, null), new(20, 1, 3, 0), new(5, 1, 2, 0)];

    /// <summary>With what an agent that dies alone is measured.</summary>
    public static PatroniSettings ForAgent => Settings[1];

    /// <summary>Planned switchover, postmaster killed, and node lost, one after the other on one pair.</summary>
    public static async Task<IReadOnlyDictionary<string, FailoverRound>> MeasureAsync(PatroniSettings settings)
    {
        await using var pair = await PatroniPair.StartAsync(settings, synchronous: true);
        var measured = new Dictionary<string, FailoverRound>
        {
            [FailoverBenchmark.Switchover] = await OnceAsync(pair, planned: true, (from, to) => pair.SwitchOverAsync(from, to)),
            [FailoverBenchmark.PostmasterKilled] = await OnceAsync(pair, planned: false, (from, _) => pair.KillPostmasterAsync(from)),
        };
        measured[FailoverBenchmark.NodeLost] = await OnceAsync(pair, planned: false, (from, _) =>
        {
            pair.Lose(from);
            return Task.CompletedTask;
        });
        return measured;
    }

    /// <summary>Only the agent of the leader is killed. It is started again as soon as the other node is primary, as ours is in the demo.</summary>
    public static async Task<FailoverRound> KillAgentAsync(bool synchronous)
    {
        await using var pair = await PatroniPair.StartAsync(ForAgent, synchronous);
        await using var clients = await WritingAsync(pair);
        var before = (await pair.PrimaryAsync())!;
        var fault = Stopwatch.GetTimestamp();
        pair.KillAgent(before.Name);
        PatroniPair.Primary? after = null;
        await pair.UntilAsync("the other node leads", async () => (after = await pair.PrimaryAsync(except: before.Name)) is not null);
        pair.StartAgent(before.Name);
        await pair.UntilWholeAsync();
        await clients.StopAsync();
        return new(await clients.LostAsync(after!.Address, CancellationToken.None), null, clients.MaxWritable(), Stopwatch.GetElapsedTime(fault, clients.FirstOfLaterEpoch() ?? fault).TotalSeconds, NoPhases)
        {
            TwoWritableSeconds = clients.TwoWritableFor().TotalSeconds,
        };
    }

    private static readonly IReadOnlyDictionary<string, double> NoPhases = new Dictionary<string, double>();

    private static async Task<FailoverRound> OnceAsync(PatroniPair pair, bool planned, Func<string, string, Task> fault)
    {
        await pair.UntilWholeAsync();
        await pair.EmptyAsync();
        await using var clients = await WritingAsync(pair);
        var before = (await pair.PrimaryAsync())!;
        var at = Stopwatch.GetTimestamp();
        await fault(before.Name, before.Name == PatroniPair.First ? PatroniPair.Second : PatroniPair.First);
        PatroniPair.Primary? after = null;
        await pair.UntilAsync("somebody else leads, or the server was started again", async () => (after = await pair.PrimaryAsync()) is not null && after != before);
        var written = clients.Written;
        await pair.UntilAsync("clients write again", () => Task.FromResult(clients.Written > written + 500));
        await clients.StopAsync();
        var gap = clients.LongestGap(at);
        return new(await clients.LostAsync(after!.Address, CancellationToken.None), null, clients.MaxWritable(), (planned ? gap.Length : Stopwatch.GetElapsedTime(at, gap.Ended)).TotalSeconds, NoPhases)
        {
            TwoWritableSeconds = clients.TwoWritableFor().TotalSeconds,
        };
    }

    private static async Task<Clients> WritingAsync(PatroniPair pair)
    {
        var clients = new Clients(pair.Addresses, writers: 4, TimeProvider.System);
        await pair.UntilAsync("clients write", () => Task.FromResult(clients.Acknowledged > 500));
        return clients;
    }
}
