using System.CommandLine;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Starter.Commands;

/// <summary>Restores into what runs: planned first, approved, and compared or proved.</summary>
internal static class RestoreCommand
{
    public static Command Create() => new CliCommand("restore", "Restore a backup into what runs. Nothing is overwritten without a plan that was approved and a backup of what is there.",
        new Example("restore database production postgresql --to 2026-03-01T09:41:00Z --plan", "what would be done and lost"),
        new Example("restore database production postgresql --to 2026-03-01T09:41:00Z", "do it: it waits for approval, and then says what it does"),
        new Example("restore cluster-state production cluster-state --namespace shop --plan", "which objects would be made again"))
    {
        Database(), Search(), ClusterState(), Vault(), Everything(),
    };

    private static CliCommand Database()
    {
        var of = new RestoreArguments("postgresql", "The id of the set. [default: the newest that can be followed to --to]", "The moment to restore to, in UTC, for example 2026-03-01T09:41:00Z. [default: the newest in the archive]");
        var exchange = new Option<bool>("--exchange") { Description = "Of a managed database: have what was restored beside it take its place, when it is proved. [default: it stays beside it]" };
        var command = of.AddTo(new CliCommand(
            "database",
            "Replace the data of a running database by a set, at a moment: restored and proved beside the data while that serves, exchanged while nobody gets through. Until it is opened, `abort` brings the old data back.",
            new Example("restore database production postgresql --to 2026-03-01T09:41:00Z --plan", "which set, what would be lost, how long it takes"),
            new Example("restore database production postgresql --to 2026-03-01T09:41:00Z", "the minute before somebody dropped a table"),
            new Example("restore database production postgresql --set backup-production-postgresql-0f3c9a12", "one set, with all of the log after it"),
            new Example("restore database production managed-postgresql --to 2026-03-01T09:41:00Z --exchange", "a managed database, whose place the restored one takes"),
            new Example("restore database production managed-postgresql --operation restore-production-managed-postgresql-0f3c9a12 --exchange", "what that operation restored beside it, when somebody has looked into it")));
        command.Add(exchange);
        return command.Runs((invocation, ct) => of.RunAsync<RestoreReport, RestorePlan>(invocation, nameof(RestoreDatabase), new RestoreDatabaseInput { Exchange = invocation.Get(exchange) }, plan => plan.Notes, ct));
    }

    private static CliCommand Search()
    {
        var of = new RestoreArguments("search", "The id of the set. [default: the newest from before --to]", "The moment from before which the set has to be, in UTC. [default: now]");
        var indices = new Option<string[]>("--index") { Description = "Only this index; may be given several times. [default: all of the set]", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace indices that are there, when that is approved by itself (approve --overwrite), after a backup of them. [default: they stay]" };
        var command = of.AddTo(new CliCommand(
            "search",
            "Bring indices of Elasticsearch back from a set: restored and counted beside those that serve, then put in their place. What is there stays, unless --overwrite is given and approved.",
            new Example("restore search production search --plan", "which indices would be made again, which stay"),
            new Example("restore search production search --index temporal_visibility_v1 --overwrite", "an index that is there, as it was")));
        command.Add(indices);
        command.Add(overwrite);
        return command.Runs((invocation, ct) => of.RunAsync<SearchRestoreReport, SearchRestorePlan>(
            invocation,
            nameof(RestoreSearch),
            new RestoreSearchInput { Indices = invocation.Get(indices) is { Length: > 0 } named ? named : null, Overwrite = invocation.Get(overwrite) },
            plan => [.. plan.Overwrites.Select(index => $"{index.Name} is replaced"), .. plan.Kept, .. plan.Notes], ct));
    }

    private static CliCommand ClusterState()
    {
        var of = new RestoreArguments("cluster-state", "The id of the set. [default: the newest from before --to]", "The moment from before which the set has to be, in UTC. [default: now]");
        var namespaces = new Option<string[]>("--namespace") { Description = "Only this namespace and what is in it; may be given several times. [default: everything]", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace objects that are there and differ, when that is approved by itself (approve --overwrite), after a backup of them. Secrets never are. [default: they stay]" };
        var velero = new Option<bool>("--velero") { Description = "Have Velero restore the Backup that it made besides the set, for when the set itself is damaged. What exists stays as it is. [default: restore the set]" };
        var command = of.AddTo(new CliCommand(
            "cluster-state",
            "Make objects of a cluster again from a set: what is there stays as it is, unless --overwrite is given and approved. What was revoked or decided since the set was made does not come back.",
            new Example("restore cluster-state production cluster-state --namespace shop --plan", "which objects would be made again, which differ and stay"),
            new Example("restore cluster-state production cluster-state --namespace shop", "a namespace that somebody deleted"),
            new Example("restore cluster-state production cluster-state --to 2026-03-01T09:41:00Z --overwrite", "what is there too, as it was then")));
        command.Add(namespaces);
        command.Add(overwrite);
        command.Add(velero);
        return command.Runs((invocation, ct) => of.RunAsync<StateRestoreReport, StateRestorePlan>(
            invocation,
            nameof(RestoreClusterState),
            new RestoreClusterStateInput { Namespaces = invocation.Get(namespaces) is { Length: > 0 } named ? named : null, Overwrite = invocation.Get(overwrite), Velero = invocation.Get(velero) },
            Lines, ct));
    }

    private static CliCommand Vault()
    {
        var of = new RestoreArguments("vault", "The id of the set. [default: the newest from before --to]", "The moment from before which the set has to be, in UTC. [default: now]");
        var otherKeys = new Option<bool>("--other-keys") { Description = "Vault has other unseal keys than the set, a new one for example: the restore seals it, until the keys of the set are given. [default: refused]" };
        var command = of.AddTo(new CliCommand(
            "vault",
            "Replace everything that a Vault has by a set, after a backup of it. What was revoked since the set was made is revoked again; what somebody has to see to is named.",
            new Example("restore vault production vault --plan", "which set, and what would be lost"),
            new Example("restore vault production vault --to 2026-03-01T09:41:00Z", "the state before somebody removed an engine"),
            new Example("restore vault production vault --other-keys", "into a new Vault")));
        command.Add(otherKeys);
        return command.Runs((invocation, ct) => of.RunAsync<VaultRestoreReport, VaultRestorePlan>(
            invocation, nameof(RestoreVault), new RestoreVaultInput { OtherKeys = invocation.Get(otherKeys) }, plan => plan.Notes, ct));
    }

    private static CliCommand Everything()
    {
        var environment = RunArguments.Environment();
        var to = new Option<string>("--to") { Description = "The moment to restore to, in UTC, for example 2026-03-01T09:41:00Z. [default: the newest]", HelpName = "TIME" };
        var otherKeys = new Option<bool>("--other-keys") { Description = "Vault has other unseal keys than its set, a new one for example. [default: the same]" };
        var exchange = new Option<bool>("--exchange") { Description = "Have managed databases that are restored beside themselves take their place. [default: wait until somebody has seen to that]" };
        var plan = new Option<bool>("--plan") { Description = "Only say what would be done, in which order." };
        var by = new Option<string>("--requested-by") { Description = "Who asks; somebody else has to approve. [default: whoever runs this]", HelpName = "NAME" };
        var (operation, detach, queue) = (RestoreArguments.Operation(), RunArguments.Detach(), RunArguments.TaskQueue());
        return new CliCommand(
            "environment",
            "Restore an environment of which nothing but its clusters is left: Vault, PostgreSQL, Elasticsearch, Temporal, Argo CD, in this order, with one approval for all that can be planned at the beginning.",
            new Example("restore environment production --plan", "which steps, and the plan of each store"),
            new Example("restore environment production --other-keys", "into a new site"))
        {
            environment, to, otherKeys, exchange, plan, operation, by, detach, queue,
        }
        .Runs((invocation, ct) => RestoreArguments.RunAsync<EnvironmentRestoreReport, EnvironmentRestorePlan>(
            invocation, nameof(RestoreEnvironment), RestoreEnvironment.WorkflowId(invocation.Get(environment)), invocation.Get(environment), invocation.Get(plan), invocation.Get(detach), invocation.Get(queue),
            new RestoreEnvironmentInput
            {
                Environment = invocation.Get(environment),
                To = invocation.Get(to),
                OtherKeys = invocation.Get(otherKeys),
                Exchange = invocation.Get(exchange),
                OperationId = invocation.Get(operation),
                Mode = invocation.Get(plan) ? RunbookMode.Plan : RunbookMode.Apply,
                RequestedBy = invocation.Get(by) ?? RunCommands.Caller(),
            },
            report => report.RestorePlan, made => made.Steps.Select(step => $"{step.Name}: {step.Does}"), ct));
    }

    private static IEnumerable<string> Lines(StateRestorePlan plan) =>
    [
        .. plan.Overwrites.Select(overwrite => $"{overwrite.Object} is replaced: {overwrite.Fields}"),
        .. plan.Kept,
        .. plan.Left,
        .. plan.Notes,
    ];
}
