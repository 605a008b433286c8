using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using AwsDatabases = PlatformOps.Adapters.Aws.Databases.DatabaseInstances;

namespace PlatformOps.Activities.Scaling;

/// <summary>How busy a component is, and what a change of its replicas has consequences for. What cannot be found out is unknown in the answer;
/// only the cluster that the component runs in has to answer.</summary>
internal sealed class SurroundingSight(SpecifiedEnvironment specified, ComponentDefinition component, RegionSpecification region, RegionConnections regions, TimeProvider time)
{
    private readonly LiveObjects objects = new(regions.Cluster(region));

    /// <summary>What every signal says now.</summary>
    public async Task<IReadOnlyList<SignalReading>> SignalsAsync(ScalingDefinition how, CancellationToken ct)
    {
        if (how.Signals.Count == 0)
            return [];
        if (specified.InDependencyOrder(region.Name).SelectMany(known => known.Health).OfType<PrometheusGate>().FirstOrDefault() is not { } gate)
            return [.. how.Signals.Select(signal => new SignalReading(signal.Name, null, null, $"{specified.Environment.Name} has no Prometheus in {region.Name}"))];
        using var server = regions.External(region.Name).Prometheus(ServiceHealth.Address(gate.Service, gate.Namespace, gate.Port, gate.Tls));
        return await Task.WhenAll(how.Signals.Select(async signal =>
        {
            try
            {
                return await server.NumberAsync(signal.Query, ScalingPolicy.FreshFor, ct) is { } value
                    ? new SignalReading(signal.Name, double.IsFinite(value) ? value : null, time.GetUtcNow(), double.IsFinite(value) ? null : $"Prometheus says {value.ToString(CultureInfo.InvariantCulture)}")
                    : new SignalReading(signal.Name, null, null, "Prometheus has no number for it");
            }
            catch (AdapterException failure)
            {
                return new(signal.Name, null, null, failure.Message);
            }
        }));
    }

    /// <summary>What a change to a number has consequences for.</summary>
    public async Task<ScalingSurroundings> LookAsync(ScalingDefinition how, LiveReplicas live, int to, CancellationToken ct) => to > live.Wanted
        ? new()
        {
            Connections = await ConnectionsAsync(live, ct),
            Room = await RoomAsync(how, live, ct),
            // Not for the change: a run that died may have left nodes that get no shards.
            Search = how.Shards ? await SearchAsync(ct) : null,
        }
        : await HeldAsync(how, ct) with
        {
            Floors = await FloorsAsync(live, ct),
            Tasks = how.Tasks is { } tasks ? await TasksAsync(tasks, live, ct) : null,
        };

    /// <summary>What the replicas hold.</summary>
    public async Task<ScalingSurroundings> HeldAsync(ScalingDefinition how, CancellationToken ct) => new()
    {
        Search = how.Shards ? await SearchAsync(ct) : null,
        Database = KeepsPostgresql(how.Workload!) ? await DatabaseAsync(ct) : null,
    };

    /// <summary>Whether the pods of a workload are instances of a PostgreSQL that can be asked. One that a sandbox plays has none.</summary>
    public bool KeepsPostgresql(ScaledWorkload workload) => workload.Kind == "StatefulSet" && component.Health.OfType<PostgresqlGate>().Any() && !regions.PlaysPostgresql(region.Name);

    /// <summary>Has the primary read its configuration again. False: it could not be told to.</summary>
    public async Task<bool> ReloadPostgresqlAsync(CancellationToken ct)
    {
        try
        {
            using var server = await regions.PostgresqlAsync(component.Health.OfType<PostgresqlGate>().First(), region, ct);
            await new PostgresReplication(server).ReloadAsync(ct);
            return true;
        }
        catch (AdapterException)
        {
            return false;
        }
    }

    /// <summary>The caller disposes it.</summary>
    public async Task<ElasticsearchCluster> ElasticsearchAsync(CancellationToken ct)
    {
        var gate = component.Health.OfType<ElasticsearchGate>().FirstOrDefault() ?? throw new ApplicationFailureException(
            $"{component.Name} has scaling.shards, and no health gate elasticsearch that says where it answers. Add one to its component.yaml.", FailureTypes.InvalidSpecification, nonRetryable: true);
        return regions.External(region.Name).Elasticsearch(
            ServiceHealth.Address(gate.Service, gate.Namespace, gate.Port, gate.Tls), await regions.LoginAsync(gate.Secret, gate.Namespace, region, ct));
    }

    /// <summary>Who may open how many connections to a database, with the most that are declared. By the replicas that there are to be now, not by those that are declared: they may have been scaled.</summary>
    /// <param name="live">How many replicas a component has, where it is known already.</param>
    public async Task<ConnectionBudget?> PoolsAsync(string database, Dictionary<string, int> live, CancellationToken ct)
    {
        foreach (var other in specified.InDependencyOrder(region.Name).Where(other => !live.ContainsKey(other.Name) && DeclaredScaling.DatabaseOf(specified.Environment, other) == database).ToList())
        {
            if (DeclaredScaling.Of(specified.Environment, other, region.Name)?.Workload is { } workload && await new Replicas(regions.Cluster(region)).FindAsync(workload, ct) is { } there)
                live[other.Name] = there.Wanted;
        }

        return DeclaredScaling.Budgets(specified.Environment, specified.Catalog, region.Name, name => live.TryGetValue(name, out var replicas) ? replicas : null).GetValueOrDefault(database);
    }

    private async Task<ConnectionBudget?> ConnectionsAsync(LiveReplicas own, CancellationToken ct)
    {
        if (DeclaredScaling.DatabaseOf(specified.Environment, component) is not { } database)
            return null;
        var budget = await PoolsAsync(database, new() { [component.Name] = own.Wanted }, ct);
        if (budget?.Limit is not { } declared)
            return budget;
        // What is declared may not be in force: it takes a restart, or another class of the instance.
        try
        {
            return budget with { Limit = Math.Min(declared, await AcceptedAsync(specified.Catalog.Find(database)!, ct) ?? declared) };
        }
        catch (AdapterException)
        {
            return budget with { Limit = null };
        }
    }

    /// <summary>How many connections a database accepts now, as it says itself or as its class in RDS does; null: nobody can be asked.</summary>
    private async Task<int?> AcceptedAsync(ComponentDefinition database, CancellationToken ct)
    {
        if (database.Health.OfType<PostgresqlGate>().FirstOrDefault() is { } gate && !regions.PlaysPostgresql(region.Name))
        {
            using var server = await regions.PostgresqlAsync(gate, region, ct);
            return await new PostgresReplication(server).ConnectionsAsync(ct);
        }

        if (!regions.StatesAws(region.Name) || ManifestRenderer.Render(specified.Environment, database, region.Name).FirstOrDefault(item => item.Address is { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "DatabaseInstance" }) is not { } declared)
            return null;
        return await new AwsDatabases(regions.Aws(region.Name)).FindAsync(declared.Address.Name, ct) is { } instance ? DatabaseClasses.Connections(instance.Class) : null;
    }

    private async Task<PodRoom?> RoomAsync(ScalingDefinition how, LiveReplicas live, CancellationToken ct)
    {
        try
        {
            var nodes = await ManifestsAsync(new("v1", "Node"), null, ct);
            return nodes.Count == 0 ? null : RoomRules.Of(
                live.Workload.Manifest["spec"]?["template"] as JsonObject ?? [], nodes, await ManifestsAsync(new("v1", "Pod"), null, ct), await ManifestsAsync(new("v1", "ResourceQuota"), how.Workload!.Namespace, ct));
        }
        catch (AdapterException failure)
        {
            return new(null, null, failure.Message);
        }
    }

    private async Task<IReadOnlyList<DisruptionFloor>> FloorsAsync(LiveReplicas live, CancellationToken ct) =>
        [.. (await new DisruptionLimits(regions.Cluster(region)).BudgetsAsync(live.Workload, ct))
            // A part of the replicas, or a number that may be away, goes along with the replicas.
            .Where(budget => budget.Manifest["spec"]?["minAvailable"] is JsonValue minimum && minimum.TryGetValue<int>(out _))
            .Select(budget => new DisruptionFloor(budget.Address.Name, (int)budget.Manifest["spec"]!["minAvailable"]!))];

    private async Task<SearchNodes?> SearchAsync(CancellationToken ct)
    {
        try
        {
            using var cluster = await ElasticsearchAsync(ct);
            return await cluster.NodesAsync(ct);
        }
        catch (AdapterException)
        {
            return null;
        }
    }

    private async Task<DatabaseInstances> DatabaseAsync(CancellationToken ct)
    {
        var gate = component.Health.OfType<PostgresqlGate>().First();
        try
        {
            var behind = await new ClusterHealth(regions.Cluster(region)).EndpointPodsAsync(gate.Namespace, gate.Service, ct);
            using var server = await regions.PostgresqlAsync(gate, region, ct);
            return await new PostgresReplication(server).LookAsync(behind is [var pod] ? pod : null, ct);
        }
        catch (AdapterException failure)
        {
            return new(null, null, 0, failure.Message);
        }
    }

    private async Task<WorkerTasks> TasksAsync(PolledTasks tasks, LiveReplicas live, CancellationToken ct)
    {
        // 30 s is what Kubernetes gives a pod that says nothing.
        var grace = TimeSpan.FromSeconds((long?)live.Workload.Manifest["spec"]?["template"]?["spec"]?["terminationGracePeriodSeconds"] ?? 30);
        if (specified.InDependencyOrder(region.Name).SelectMany(known => known.Health).OfType<TemporalFrontendGate>().FirstOrDefault() is not { } frontend)
            return new(null, grace);
        try
        {
            return new(await new TaskQueueWorkers(regions.Temporal(region.Name, frontend)).LoadsAsync(tasks.Namespace, tasks.Queue, time.GetUtcNow(), ScalingPolicy.FreshFor, ct), grace);
        }
        catch (AdapterException)
        {
            return new(null, grace);
        }
    }

    private async Task<IReadOnlyList<JsonObject>> ManifestsAsync(ObjectKind kind, string? space, CancellationToken ct) =>
        [.. (await objects.ListAsync(kind, space, "", ct)).Select(item => item.Manifest)];
}
