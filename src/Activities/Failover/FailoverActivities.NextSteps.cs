using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>What is left of a change of places whose history is lost.</summary>
public sealed partial class FailoverActivities
{
    /// <inheritdoc/>
    public Task<UnfinishedFailover> ReadUnfinishedAsync(ReadUnfinishedInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var world = await LookAsync(input.Environment, Cancellation);
        return new UnfinishedFailover(world.Witness?.Record?.Epoch ?? 0, NextSteps.Of(world));
    });

    /// <summary>Looks at the world of an environment, without any Temporal server. Changes nothing.</summary>
    /// <exception cref="AdapterException">Something in the connections file is wrong, or somebody refuses; that somebody does not answer is a finding.</exception>
    public async Task<FailoverWorld> LookAsync(string environment, CancellationToken ct)
    {
        var pair = Pair(environment, drill: false);
        var regions = SpecifiedEnvironment.Read(sources, environment).Environment.Regions.Take(2).Select(region => region.Name).ToList();
        var nodes = await Task.WhenAll(regions.Select(node => TryAsync(() => pair.Database.ObserveAsync(node, ct))));
        return new()
        {
            Environment = environment,
            Witness = await TryAsync(async () => new WitnessSight((await pair.Witness.ReadAsync(ct))?.Record)),
            Nodes = regions.Zip(nodes).ToDictionary(node => node.First, node => node.Second),
            Pointers = await Around(environment, drill: false).PointersAsync(ct),
            Namespaces = await Around(environment, drill: false).NamespacesAsync(regions, ct),
            Synchronous = Access(environment, drill: false).Synchronous,
        };
    }

    private static async Task<T?> TryAsync<T>(Func<Task<T>> ask)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return null;
        }
    }
}
