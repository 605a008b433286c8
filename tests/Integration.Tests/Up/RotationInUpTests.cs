using System.Text.Json;
using PlatformOps.Integration.Tests.CommandLine;

namespace PlatformOps.Integration.Tests.Up;

/// <summary>Secrets and certificates of the reference catalog, rotated in the sandbox as an operator does it there.</summary>
public sealed class RotationInUpTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly Cli cli = new();

    public void Dispose() => cli.Dispose();

    [Fact]
    public async Task What_the_reference_catalog_declares_is_listed_rotated_and_proved()
    {
        var specification = Path.Combine(cli.Home, "specification");
        Write(specification);
        using var up = cli.Start("up", "rotations", "--specification", specification, "--data", Path.Combine(cli.Home, "data"), "--port", "0", "--time-scale", "0");
        await up.WaitForAsync("Ctrl-C ends it", Patience);

        var certificates = (await RunAsync("certificates", "list", "rotations")).GetProperty("certificates").EnumerateArray()
            .Select(found => (Name: found.GetProperty("certificate").GetString(), Owner: found.GetProperty("owner").GetString(), Left: found.GetProperty("daysLeft").GetDouble())).ToList();
        Assert.Superset(
            new HashSet<(string?, string?)> { ("load-balancer", "certManager"), ("temporal-web", "certManager"), ("api-services", "certManager"), ("platform/first", "vault") },
            certificates.Select(found => (found.Name, found.Owner)).ToHashSet());
        Assert.All(certificates, found => Assert.InRange(found.Left, 1, 4000));
        // Every pod of the load balancer is asked in a handshake.
        Assert.Equal("rotated", (await RunAsync("certificates", "rotate", "rotations", "load-balancer")).GetProperty("outcome").GetString());

        string[] secrets = ["elasticsearch", "elasticsearch-exporter", "grafana-admin", "argocd-redis"];
        var listed = (await RunAsync("secrets", "list", "rotations")).GetRawText();
        Assert.All(secrets, secret => Assert.Contains($"\"{secret}\"", listed, StringComparison.Ordinal));
        var rotated = await RunAsync(["secrets", "rotate", "rotations", .. secrets, "--settle", "1s"]);
        Assert.Equal("rotated", rotated.GetProperty("outcome").GetString());
        // Copies in other namespaces, and what charts installed, are consumers too.
        var restarted = rotated.GetRawText();
        foreach (var consumer in (string[])["jaeger-collector", "jaeger-query", "fluent-bit", "Deployment/elasticsearch-exporter", "grafana", "argocd-repo-server"])
            Assert.Contains(consumer, restarted, StringComparison.Ordinal);

        // What systems issue: the first of each is in Vault, where External Secrets has it from. It ends with the old one refused there.
        // Our own worker is no pod here: of three the specification says so, of the fourth whoever rotates it does.
        string[] issued = ["gitlab-argocd", "artifactory-argocd", "cloudflare", "datadog", "authentik", "vault-platformops", "velero", "elasticsearch-snapshots"];
        rotated = await RunAsync(["secrets", "rotate", "rotations", .. issued, "--settle", "1s", "--no-consumers", "the worker has it from its connections file"]);
        Assert.Equal(["datadog"], rotated.GetProperty("report").GetProperty("secrets").EnumerateArray().Where(secret => secret.TryGetProperty("noConsumers", out var why) && why.ValueKind == JsonValueKind.String).Select(secret => secret.GetProperty("secret").GetProperty("name").GetString()));
        Assert.Equal("rotated", rotated.GetProperty("outcome").GetString());
        Assert.Contains("Deployment/velero", rotated.GetRawText(), StringComparison.Ordinal);

        // The nodes write their snapshots with the key that has just taken the place of the first.
        Assert.Equal("complete", (await RunAsync("backup", "run", "rotations", "search")).GetProperty("outcome").GetString());
        Assert.Equal("proved", (await RunAsync("backup", "verify", "rotations", "search")).GetProperty("outcome").GetString());
        up.Terminate();
        Assert.Equal(0, (await up.EndAsync(Patience)).ExitCode);
    }

    private async Task<JsonElement> RunAsync(params string[] command)
    {
        var result = await cli.RunAsync([.. command, "--data", Path.Combine(cli.Home, "data"), "--specification", Path.Combine(cli.Home, "specification"), "--output", "json"]);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', command)}: {result.ExitCode}\n{result.Output}\n{result.Error}");
        return result.Json;
    }

    private static void Write(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "environments"));
        File.WriteAllText(Path.Combine(folder, "platform.yaml"), """
            apiVersion: platformops.io/v1
            kind: Platform
            name: reference
            nodes: {all: {profile: balanced, count: 6} }
            clusterSize: 6
            database: single
            monitoring: basic
            security: development-tls
            namespaces:
              temporal-backend: {purpose: Temporal, networkPolicy: restricted-ingress-egress, resourceClass: high-priority}
              temporal-product: {purpose: Applications, networkPolicy: restricted-egress-to-backend, resourceClass: auto-scaling}
              monitoring: {purpose: Observability, networkPolicy: metrics-collection-only, resourceClass: persistent-storage}
              security: {purpose: Vault and cert-manager, networkPolicy: cluster-wide-access, resourceClass: minimal}
              edge: {purpose: Load balancer, networkPolicy: public-entry, resourceClass: minimal}
              ingress: {purpose: Ingress controller, networkPolicy: public-entry, resourceClass: minimal}
              infrastructure: {purpose: Argo CD, networkPolicy: cluster-wide-access, resourceClass: minimal}
              node-agents: {purpose: Agents, networkPolicy: cluster-wide-access, resourceClass: node-agents}
            components:
              namespaces: {istioInjection: disabled}
              gitlab: {}
              artifactory: {}
              external-monitoring: {}
              argo-cd: {}
              external-secrets: {}
              secret-store: {}
              service-credentials: {unusedBecause: "The worker is no pod of the sandbox."}
              velero: {}
              object-storage: {replicationRole: "arn:aws:iam::123456789012:role/replication"}
              cluster-backups: {}
              search-backups: {}
              authentik: {unusedBecause: "The worker is no pod of the sandbox."}
              cloudflare: {unusedBecause: "The worker is no pod of the sandbox."}
              vault: {}
              cert-manager: {}
              certificates: {}
              ingress-nginx: {}
              waf: {}
              load-balancer: {}
              elasticsearch: {replicas: 1}
              prometheus: {}
              grafana: {}
              jaeger: {replicas: 1}
              fluent-bit: {}
              elasticsearch-exporter: {}
            performance: {workflowStartsPerSecond: 1, activityExecutionsPerSecond: 1, concurrentWorkflows: 1}
            failover: {database: off, fullStack: off, rto: 1h, rpo: 5m}
            """);
        File.WriteAllText(Path.Combine(folder, "environments", "rotations.yaml"), """
            apiVersion: platformops.io/v1
            kind: Environment
            name: rotations
            regions: {us-east-1: {role: primary} }
            guardRails: {approvals: 0, maxParallel: 8, mayDestroy: true}
            """);
    }
}
