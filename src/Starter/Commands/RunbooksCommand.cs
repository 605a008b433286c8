using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Scaling;
using PlatformOps.Workflows.Secrets;

namespace PlatformOps.Starter.Commands;

/// <summary>The runbooks as a public contract: what another client needs to start one without our program.</summary>
internal static class RunbooksCommand
{
    private static readonly Runbook[] All =
    [
        new(
            nameof(ProvisionEnvironment),
            "provision/{environment}",
            "Brings an environment to what its specification says; with mode plan it only says what it would do.",
            typeof(ProvisionEnvironmentInput),
            """{"environment":"development"}""",
            "provision/development",
            Required: ["environment"]),
        new(
            nameof(DetectDrift),
            "drift/{environment}",
            "Says field by field what is not as declared; on demand reverts it, or says what to write into the specification.",
            typeof(DetectDriftInput),
            """{"environment":"development"}""",
            "drift/development",
            Required: ["environment"],
            MoreUpdates: ", revert, adopt"),
        new(
            nameof(UpgradeComponent),
            "upgrade/{environment}/{component}",
            "Brings one component to what is specified by now, region by region; back to what was applied before when one does not do well.",
            typeof(UpgradeComponentInput),
            """{"environment":"development","component":"temporal-frontend"}""",
            "upgrade/development/temporal-frontend",
            Required: ["environment", "component"]),
        new(
            nameof(ScaleComponent),
            "scale/{environment}/{component}@{region}",
            "Sets a component's number of replicas in one region, for good or for a while: refused when what they share has no room for it, taken back when it does not do well.",
            typeof(ScaleComponentInput),
            """{"environment":"production","component":"temporal-frontend","region":"us-east-1","replicas":6,"reason":"sale","for":"2h"}""",
            "scale/production/temporal-frontend@us-east-1",
            Required: ["environment", "component", "region", "replicas", "reason"]),
        new(
            nameof(RolloutWorkers),
            "rollout/{environment}/{component}@{region}",
            "Gives a version of a component's Temporal workers more and more of the new runs, and none again when it does not do well. Drained versions are forgotten at the end.",
            typeof(RolloutWorkersInput),
            """{"environment":"production","component":"business-workers","region":"us-east-1","buildId":"2.4.0"}""",
            "rollout/production/business-workers@us-east-1",
            Required: ["environment", "component", "region", "buildId"]),
        new(
            nameof(Autoscale),
            "autoscale/{environment}",
            "Keeps the numbers of replicas of an environment's components where their signals want them. One for each environment, for ever.",
            typeof(AutoscaleInput),
            """{"environment":"production"}""",
            "autoscale/production",
            Required: ["environment"],
            Controls: "queries: status, decisions   updates: pause, resume, override, stop",
            Internal: "state"),
        new(
            nameof(RestoreDatabase),
            "restore/{environment}/{store}",
            "Replaces the data of a running database by a set, at a moment, after approval and with a backup of what is overwritten; abort leads back until the restored data is opened.",
            typeof(RestoreDatabaseInput),
            """{"environment":"production","store":"postgresql","to":"2026-03-01T09:41:00Z"}""",
            "restore/production/postgresql",
            Required: ["environment", "store"],
            Controls: "queries: status, restorePlan   updates: approve, reject, abort, retryStep, skipStep", Internal: "approved"),
        new(
            nameof(RestoreSearch),
            "restore/{environment}/{store}",
            "Brings indices of Elasticsearch back from a set, after approval: restored and counted beside, then put in their place; what is there stays, or is replaced where that was approved by itself and backed up.",
            typeof(RestoreSearchInput),
            """{"environment":"production","store":"search","indices":["temporal_visibility_v1"]}""",
            "restore/production/search",
            Required: ["environment", "store"],
            Controls: "queries: status, restorePlan   updates: approve, reject, abort, retryStep, skipStep", Internal: "approved"),
        new(
            nameof(RestoreClusterState),
            "restore/{environment}/{store}",
            "Makes objects of a cluster again from a set, after approval; what is there stays, or is replaced where that was approved by itself and backed up.",
            typeof(RestoreClusterStateInput),
            """{"environment":"production","store":"cluster-state","namespaces":["shop"]}""",
            "restore/production/cluster-state",
            Required: ["environment", "store"],
            Controls: "queries: status, restorePlan   updates: approve, reject, abort, retryStep, skipStep", Internal: "approved"),
        new(
            nameof(RestoreVault),
            "restore/{environment}/{store}",
            "Replaces everything that a Vault has by a set, after approval and with a backup of it; what was revoked since is revoked again, and the rest is named.",
            typeof(RestoreVaultInput),
            """{"environment":"production","store":"vault"}""",
            "restore/production/vault",
            Required: ["environment", "store"],
            Controls: "queries: status, restorePlan   updates: approve, reject, abort, retryStep, skipStep", Internal: "approved"),
        new(
            nameof(RestoreEnvironment),
            "restore/{environment}",
            "Restores an environment of which nothing but its clusters is left, store by store in their order, with one approval for all that can be planned at the beginning.",
            typeof(RestoreEnvironmentInput),
            """{"environment":"production"}""",
            "restore/production",
            Required: ["environment"],
            Controls: "queries: status, restorePlan   updates: approve, reject, abort, retryStep, skipStep"),
        new(
            nameof(DecommissionEnvironment),
            "decommission/{environment}",
            "Removes an environment in reverse order of its dependencies, after approval; data is kept unless it is asked for and allowed.",
            typeof(DecommissionEnvironmentInput),
            """{"environment":"development"}""",
            "decommission/development",
            Required: ["environment"]),
        new(
            nameof(ReadLedger),
            "ledger/{environment}",
            "Lists what was created for an environment and exists: owner, operation, cost, and what would undo it. Changes nothing and takes no updates.",
            typeof(ReadEnvironmentLedgerInput),
            """{"environment":"development"}""",
            "ledger/development",
            Required: ["environment"],
            Controls: "queries: status, ledger"),
        new(
            nameof(RotateSecrets),
            "secrets/{environment}",
            "Rotates the secrets of an environment that are due, or those that are named, and restarts each of their consumers once; with mode plan it only says what is due. Takes no updates.",
            typeof(RotateSecretsInput),
            """{"environment":"production"}""",
            "secrets/production",
            Required: ["environment"],
            Controls: "queries: status"),
        new(
            nameof(RotateSecret),
            "secrets/{environment}/{secret}@{region}",
            "Rotates one secret of one region: ends when every consumer is proved to use the new value and no older one is valid.",
            typeof(RotateSecretInput),
            """{"environment":"production","secret":"postgresql-temporal","region":"us-east-1"}""",
            "secrets/production/postgresql-temporal@us-east-1",
            Required: ["environment", "secret", "region"],
            Controls: "queries: status   updates: abort, retryStep, skipStep",
            Internal: "refreshedByParent"),
        new(
            nameof(RotateCertificates),
            "certificates/{environment}",
            "Rotates the certificates of an environment that are due, or those that are named, as fast as their authorities bear; with mode plan it only says what there is. Takes no updates.",
            typeof(RotateCertificatesInput),
            """{"environment":"production"}""",
            "certificates/production",
            Required: ["environment"],
            Controls: "queries: status",
            Internal: "before"),
        new(
            nameof(RotateCertificate),
            "certificates/{environment}/{certificate}@{region}",
            "Rotates one certificate of one region: ends when every pod is proved to serve the new one and no older one is valid.",
            typeof(RotateCertificateInput),
            """{"environment":"production","certificate":"web","region":"us-east-1"}""",
            "certificates/production/web@us-east-1",
            Required: ["environment", "certificate", "region"],
            Controls: "queries: status   updates: abort, retryStep, skipStep",
            Internal: "issuedInTurn"),
        new(
            nameof(LeakResponse),
            "leak/{environment}",
            "Rotates everything that a leaked path or identity reaches, what lets read the most first, before a deadline; with mode plan it only says what that is. Takes no updates.",
            typeof(LeakResponseInput),
            """{"environment":"production","identity":"temporal-backend/temporal","deadline":"30m"}""",
            "leak/production",
            Required: ["environment"],
            Controls: "queries: status"),
        new(
            nameof(RotateCertificateAuthority),
            "certificates/{environment}/authority/{authority}@{region}",
            "Replaces the root of a certificate authority: ends when every pod is proved to trust the new one and to refuse the old one; goes back by itself while it can.",
            typeof(RotateCertificateAuthorityInput),
            """{"environment":"production","authority":"internal","region":"us-east-1"}""",
            "certificates/production/authority/internal@us-east-1",
            Required: ["environment", "authority", "region"],
            Controls: "queries: status   updates: abort, retryStep, skipStep"),
        new(
            nameof(RegionFailover),
            "failover/{environment}",
            "Watches an environment's database from both regions and changes its places when it has to or when people ask. One for each environment, for ever.",
            typeof(RegionFailoverRequest),
            """{"environment":"production"}""",
            "failover/production",
            Required: ["environment"],
            Controls: "queries: status, failover   signals: alert, evidence   updates: failOver, failBack, approve, reject, abort, retryStep, skipStep, acknowledge, maintenance",
            Queue: TaskQueues.Failover,
            Internal: "state"),
        new(
            nameof(FailoverReadiness),
            "failover-readiness/{environment}",
            "Says whether the next failover of an environment would succeed, and what is missing. Changes nothing and takes no updates.",
            typeof(FailoverReadinessRequest),
            """{"environment":"production"}""",
            "failover-readiness/production",
            Required: ["environment"],
            Controls: "queries: status",
            Queue: TaskQueues.Failover),
        new(
            nameof(WarmStandby),
            "warm-standby/{environment}",
            "Says whether the standby's region has room for what the serving region runs: reserved nodes, requests, quotas. Changes nothing and takes no updates.",
            typeof(WarmStandbyRequest),
            """{"environment":"production"}""",
            "warm-standby/production",
            Required: ["environment"],
            Controls: "queries: status"),
    ];

    public static Command Create()
    {
        var type = new Argument<string?>("type") { Description = "Only this runbook.", Arity = ArgumentArity.ZeroOrOne };
        return new CliCommand(
            "runbooks",
            "List the runbooks: workflow types, ids, inputs as JSON Schema, and how to start each with the temporal CLI.",
            new Example("runbooks", "all of them"),
            new Example("runbooks ProvisionEnvironment --output json", "one, for a program"))
        {
            type,
        }
        .Runs((invocation, _) =>
        {
            var wanted = invocation.Get(type);
            var chosen = All.Where(runbook => wanted is null || runbook.Type == wanted).ToList();
            if (chosen.Count == 0)
                throw new CommandFailure(
                    ExitCode.NotFound, $"There is no runbook \"{wanted}\".",
                    $"The runbooks are: {string.Join(", ", All.Select(runbook => runbook.Type))}.", "platformops runbooks");
            foreach (var runbook in chosen)
                Write(invocation.Terminal, runbook);
            invocation.Terminal.Result(new
            {
                runbooks = chosen.Select(runbook => new
                {
                    runbook.Type,
                    runbook.Id,
                    taskQueue = runbook.Queue,
                    runbook.Summary,
                    input = runbook.Schema(),
                    runbook.Start,
                }),
            });
            return Task.FromResult(ExitCode.Success);
        });
    }

    private static void Write(Terminal terminal, Runbook runbook)
    {
        terminal.Line(runbook.Type);
        terminal.Line($"  {runbook.Summary}");
        terminal.Line($"  workflow id: {runbook.Id}   task queue: {runbook.Queue}");
        terminal.Line($"  {runbook.Controls ?? $"queries: status, plan, objects   updates: approve, reject, abort, retryStep, skipStep{runbook.MoreUpdates}"}");
        terminal.Line($"  start: {runbook.Start}");
        terminal.Line("  input:");
        foreach (var line in runbook.Schema().ToJsonString(JsonOutput.Indented).Split('\n'))
            terminal.Line($"    {line}");
        terminal.Line();
    }

    /// <param name="Id">The pattern of its workflow ids.</param>
    /// <param name="Example">An input that works on the reference platform.</param>
    /// <param name="ExampleId">The workflow id that goes with <paramref name="Example"/>.</param>
    /// <param name="Required">The input's fields that cannot be left out.</param>
    /// <param name="MoreUpdates">Those that only this runbook takes.</param>
    /// <param name="Queue">Where it is started.</param>
    /// <param name="Internal">The input's field that a run sets for the run that continues it, and nobody else does.</param>
    /// <param name="Controls">Its queries and updates, when they are not those of all runbooks.</param>
    private sealed record Runbook(string Type, string Id, string Summary, Type Input, string Example, string ExampleId, string[] Required, string MoreUpdates = "", string? Controls = null, string Queue = TaskQueues.Default, string? Internal = null)
    {
        public string Start =>
            $"temporal workflow start --type {Type} --workflow-id {ExampleId} --task-queue {Queue} --input '{Example}'";

        public JsonObject Schema()
        {
            var schema = (JsonObject)Web.GetJsonSchemaAsNode(Input, new JsonSchemaExporterOptions { TransformSchemaNode = WithoutNull });
            schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
            schema["required"] = new JsonArray([.. Required.Select(name => (JsonNode)name)]);
            if (Internal is { } internalField)
                ((JsonObject)schema["properties"]!).Remove(internalField);
            schema["additionalProperties"] = false;
            return schema;
        }

        /// <summary>A field is left out rather than null.</summary>
        private static JsonNode WithoutNull(JsonSchemaExporterContext context, JsonNode node)
        {
            if (node is JsonObject schema && schema["type"] is JsonArray types)
                schema["type"] = types.Select(type => (string)type!).First(type => type != "null");
            return node;
        }

        private static JsonSerializerOptions Web { get; } = new(JsonOutput.Compact)
        {
            TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver(),
            NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict,
        };
    }
}
