using System.Text.Json.Nodes;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Scaling;

/// <summary>Looks at what the serving region runs and at what is free in the other one.</summary>
internal sealed class StandbyLook(SpecifiedEnvironment specified, RegionConnections regions)
{
    /// <param name="region">Who would have to carry; null: the second region.</param>
    public async Task<StandbyFound> LookAsync(string? region, CancellationToken ct)
    {
        var all = specified.Environment.Regions;
        if (all.Count < 2)
            throw Invalid($"Environment {specified.Environment.Name} has one region: nothing stands by.");
        var standby = specified.Region(region ?? all[1].Name);
        var serving = all.First(other => other.Name != standby.Name);
        var unknown = new List<string>();
        try
        {
            var objects = new LiveObjects(regions.Cluster(standby));
            return new(standby.Name, serving.Name, StandbyCapacity.Judge(new(
                standby.Name, serving.Name, specified.Environment.NodeClasses, await WorkloadsAsync(serving, standby, unknown, ct),
                await AllAsync(objects, "Node", ct), await AllAsync(objects, "Pod", ct), await AllAsync(objects, "ResourceQuota", ct), unknown)));
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return new(standby.Name, serving.Name, new(null, $"Whether {standby.Name} could carry {serving.Name} is not known: its cluster does not answer. {failure.Message}", []));
        }
    }

    /// <summary>What is scaled, and runs in both regions. Where the serving cluster does not answer, what it is declared to run counts.</summary>
    private async Task<IReadOnlyList<StandbyWorkload>> WorkloadsAsync(RegionSpecification serving, RegionSpecification standby, List<string> unknown, CancellationToken ct)
    {
        var (here, there) = (new Replicas(regions.Cluster(standby)), new Replicas(regions.Cluster(serving)));
        var found = new List<StandbyWorkload>();
        var answers = true;
        var inBoth = specified.InDependencyOrder(standby.Name).Select(component => component.Name).ToHashSet();
        foreach (var component in specified.InDependencyOrder(serving.Name).Where(component => inBoth.Contains(component.Name)))
        {
            if (DeclaredScaling.Of(specified.Environment, component, standby.Name) is not { Workload: { } workload } how)
                continue;
            LiveReplicas? carried = null;
            try
            {
                carried = answers ? await there.FindAsync(workload, ct) : null;
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
            {
                answers = false;
            }

            if ((carried?.Wanted ?? DeclaredScaling.NumberOf(specified.Environment, component, serving.Name, how.Parameter)) is not { } replicas)
                continue;
            if (await here.FindAsync(workload, ct) is { } standing)
                found.Add(new(component.Name, workload.Namespace, replicas, standing.Wanted, standing.Workload.Manifest["spec"]?["template"] as JsonObject ?? []));
            else
                unknown.Add($"{workload} is not in {standby.Name}");
        }

        return found;
    }

    private static async Task<IReadOnlyList<JsonObject>> AllAsync(LiveObjects objects, string kind, CancellationToken ct) =>
        [.. (await objects.ListAsync(new("v1", kind), null, "", ct)).Select(found => found.Manifest)];

    private static ApplicationFailureException Invalid(string message) => new(message, FailureTypes.InvalidInput, nonRetryable: true);
}
