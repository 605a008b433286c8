using PlatformOps.Adapters;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Asks the systems of the platform themselves how they are.</summary>
internal sealed class ServiceHealth(RegionConnections connections)
{
    public Task<GateStatus> PostgresqlAsync(PostgresqlGate gate, RegionSpecification region, CancellationToken ct) => PatientlyAsync(async () =>
    {
        var name = $"PostgreSQL {gate.Namespace}/{gate.Service}";
        if (connections.PlaysPostgresql(region.Name))
            return GateStatus.Passed($"{name} is played by a sandbox that has no server behind it, so that nobody was asked to accept a write");
        using var server = await connections.PostgresqlAsync(gate, region, ct);
        return GateStatus.Passed($"{name} ({server.Address}, version {await server.WriteAsync(ct)}) accepts a write");
    });

    public Task<GateStatus> ElasticsearchAsync(ElasticsearchGate gate, RegionSpecification region, CancellationToken ct) => PatientlyAsync(async () =>
    {
        var login = await connections.LoginAsync(gate.Secret, gate.Namespace, region, ct);
        using var cluster = connections.External(region.Name).Elasticsearch(Address(gate.Service, gate.Namespace, gate.Port, gate.Tls), login);
        return ElasticsearchStatus.Judge($"Elasticsearch {gate.Namespace}/{gate.Service}", await cluster.HealthAsync(ct));
    });

    public Task<GateStatus> PrometheusAsync(PrometheusGate gate, RegionSpecification region, CancellationToken ct) => PatientlyAsync(async () =>
    {
        using var server = connections.External(region.Name).Prometheus(Address(gate.Service, gate.Namespace, gate.Port, gate.Tls));
        await server.ReadyAsync(ct);
        return PrometheusStatus.Judge($"Prometheus {gate.Namespace}/{gate.Service}", await server.TargetsAsync(ct), gate.Minimum);
    });

    internal static Uri Address(string service, string space, int port, bool tls) => new($"{(tls ? "https" : "http")}://{service}.{space}.svc:{port}");

    private static async Task<GateStatus> PatientlyAsync(Func<Task<GateStatus>> ask)
    {
        try
        {
            return await ask();
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return GateStatus.OnTheWay(failure.Message.TrimEnd('.'));
        }
    }
}
