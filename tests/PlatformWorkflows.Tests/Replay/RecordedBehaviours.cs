using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;
using PlatformOps.PlatformWorkflows.Tests.Backups;
using PlatformOps.PlatformWorkflows.Tests.Certificates;
using PlatformOps.PlatformWorkflows.Tests.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Scaling;
using PlatformOps.PlatformWorkflows.Tests.Secrets;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Replay;

/// <summary>The behaviours that committed histories pin, each with the run that shows it. The name is the history's file name.</summary>
internal static class RecordedBehaviours
{
    private const string Reason = "Pod temporal-backend/postgresql-0: CrashLoopBackOff, exit code 1.";

    /// <summary>Those that are shown on a server that wants runs to continue as new early, and of which the first run's history is kept.</summary>
    public static IReadOnlySet<string> Continued { get; } = new HashSet<string> { "failover-asked-and-continued" };

    /// <summary>Runs a behaviour to its end and returns the id of the workflow whose history shows it.</summary>
    public delegate Task<string> Showing(RunbookServer server);

    public static IReadOnlyDictionary<string, Showing> All { get; } = new Dictionary<string, Showing>
    {
        ["provisioned-in-order"] = server => EndedAsync(server, new(RealPlan.Create()), _ => Task.CompletedTask),
        ["nothing-to-change"] = server => EndedAsync(
            server, Guarded(Of(Component("redis").With(Plans.Object("redis", Platform.Provisioning.PlannedAction.None, "As wanted.")))), _ => Task.CompletedTask),
        ["retired-components-removed"] = server => EndedAsync(server, new(RetirementTests.Retiring), _ => Task.CompletedTask),
        ["plan-only"] = server => EndedAsync(server, new(Chain), _ => Task.CompletedTask, new() { Mode = RunbookMode.Plan }),
        ["planned-page-by-page"] = server => EndedAsync(server, new(Diamond) { Page = (input, _) => LargePlanTests.PageOf(Diamond, input) }, _ => Task.CompletedTask),
        ["approved"] = server => EndedAsync(server, Guarded(Chain), async run =>
        {
            await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await run.ApproveAsync(Hash, "ada");
            await run.ApproveAsync(Hash, "grace");
        }),
        ["rejected"] = server => EndedAsync(server, Guarded(Chain), async run =>
        {
            await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await run.RejectAsync("not during the sale", "grace");
        }),
        ["approval-timed-out"] = server => EndedAsync(server, new(Chain) { GuardRails = new(1, 2, false, TimeSpan.FromSeconds(1)) }, _ => Task.CompletedTask),
        ["parked-and-retried"] = server => EndedAsync(server, Failing(), async run =>
        {
            await run.UntilAsync(RunbookPhase.Parked);
            await run.RetryAsync("postgresql");
        }),
        ["skipped"] = server => EndedAsync(server, Failing(), SkipAsync),
        ["parked-until-nobody-came"] = server => EndedAsync(server, Failing(), _ => Task.CompletedTask, new() { ParkedAtMost = "1s" }),
        ["aborted-and-rolled-back"] = server => EndedAsync(server, Waiting(), run => StopAsync(run, () => run.AbortAsync("changed our minds"))),
        ["cancelled"] = server => EndedAsync(server, Waiting(), run => StopAsync(run, () => run.Handle.CancelAsync())),
        ["rollback-parked-and-retried"] = server => EndedAsync(server, Waiting().Fail("remove redis@us-east-1", "It is still there.", FailureTypes.NotRemoved), async run =>
        {
            await StopAsync(run, () => run.AbortAsync("changed our minds"));
            await run.UntilAsync(RunbookPhase.Parked);
            await run.RetryAsync("redis");
        }),
        ["plan-failed"] = server => EndedAsync(server, new FakeWorld(Chain).Fail("plan", "There is no environment 'development'.", FailureTypes.InvalidInput), _ => Task.CompletedTask),
        ["component-provisioned"] = async server => $"{await EndedAsync(server, new(Chain), _ => Task.CompletedTask)}/redis@us-east-1",
        ["component-failed"] = async server => $"{await EndedAsync(server, Failing(), SkipAsync)}/postgresql@us-east-1",
        ["component-cancelled"] = async server =>
            $"{await EndedAsync(server, Waiting(), run => StopAsync(run, () => run.AbortAsync("changed our minds")))}/frontend@us-east-1",
        ["drift-reported"] = server => DriftAsync(server, DriftTests.World(), new(), _ => Task.CompletedTask),
        ["drift-reverted"] = server => DriftAsync(server, DriftTests.World(approvals: 1), new() { DecideWithin = "4h" }, async run =>
        {
            await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await run.TellAsync("revert", new ApproveInput(Hash, "ada"));
        }),
        ["drift-adopted"] = server => DriftAsync(server, DriftTests.World(), new() { Mode = DriftMode.Adopt }, _ => Task.CompletedTask),
        ["drift-not-decided"] = server => DriftAsync(server, DriftTests.World(), new() { DecideWithin = "1s" }, _ => Task.CompletedTask),
        ["ledger-read"] = async server =>
        {
            await using var run = await RunningRunbook<LedgerReport>.StartAsync(
                server, new FakeWorld(Chain).Populate(), nameof(ReadLedger), ReadLedger.WorkflowId("development"), new ReadEnvironmentLedgerInput { Environment = "development" });
            await run.ReportAsync();
            return run.Handle.Id;
        },
        ["decommissioned"] = server => DecommissionAsync(server, DecommissionTests.World(), run => run.ApproveAsync()),
        ["decommission-rejected"] = server => DecommissionAsync(server, DecommissionTests.World(), async run =>
        {
            await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await run.TellAsync("reject", new RejectInput("still needed"));
        }),
        ["decommission-parked-and-retried"] = server => DecommissionAsync(
            server, DecommissionTests.World().Fail("remove frontend@us-east-1", "It is still there.", FailureTypes.NotRemoved), async run =>
            {
                await run.ApproveAsync();
                await run.UntilAsync(RunbookPhase.Parked);
                await run.TellAsync("retryStep", new StepInput("frontend@us-east-1"));
            }),
        ["upgraded-region-by-region"] = server => UpgradeAsync(server, UpgradeTests.World(approvals: 1), new() { ObserveFor = "1s" }, run => run.ApproveAsync()),
        ["upgrade-returned"] = server => UpgradeAsync(
            server, UpgradeTests.World().Fail("health history@us-east-1", "0/3 replicas ready.", FailureTypes.Unhealthy), new(), _ => Task.CompletedTask),
        ["upgrade-returned-and-healthy"] = server => UpgradeAsync(
            server, UpgradeTests.World().Fail("health history@us-east-1", "0/3 replicas ready.", FailureTypes.Unhealthy), new(), _ => Task.CompletedTask),
        ["upgrade-returned-and-unhealthy"] = server => UpgradeAsync(
            server,
            UpgradeTests.World().Fail("health history@us-west-2", "0/3 replicas ready.", FailureTypes.Unhealthy).Fail("health history@us-west-2", "1/3 replicas ready.", FailureTypes.Unhealthy),
            new(), _ => Task.CompletedTask),
        ["failed-over"] = server => FailOverAsync(server, new(), async run =>
        {
            await run.SeeAsync("serves", "serves", stalled: false);
            await run.AlertAsync("fingerprint/2026-03-01T03:00:00Z");
            await run.LoseAsync();
            await run.TellAsync("acknowledge", new AcknowledgeInput((await run.ReportAsync()).OperationId, "ada"));
        }),
        ["failed-over-after-approval"] = server => FailOverAsync(
            server, new() { Approvals = 1, Policy = new(FailoverMode.Approval, FailoverMode.Approval, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5)) }, async run =>
            {
                await run.LoseAsync(regionGone: true);
                for (var approval = 0; approval < 2; approval++)
                {
                    var hash = (await run.UntilAsync(RunbookPhase.AwaitingApproval)).PlanHash;
                    await run.TellAsync("approve", new ApproveInput(hash, "ada"));
                }

                await run.ReportAsync();
            }),
        ["rebuilt-while-people-approve"] = server => FailOverAsync(server, new() { Approvals = 1 }, async run =>
        {
            await run.LoseAsync(regionGone: true);
            var asked = await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Single(step => step.Name == "rebuild").State == StepState.Done, status => status.Summary);
            await run.TellAsync("approve", new ApproveInput(asked.PlanHash, "ada"));
            await run.ReportAsync();
        }),
        ["namespaces-handed-over"] = server => FailOverAsync(server, new(), HandOverAsync),
        ["handover-watched"] = WatchAsync,
        ["failover-way-back-parked"] = server => FailOverAsync(server, new FakeDatabase().Fail("unfence", "It does not answer.", FailureTypes.Unavailable), async run =>
        {
            var fencing = run.World.Hold("fence");
            await run.LoseAsync();
            await fencing.ReachedAsync();
            await run.TellAsync("abort", new AbortInput("changed our minds"));
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("retryStep", new StepInput("unfence"));
            await run.ReportAsync();
        }),
        ["failover-taken-back"] = server => FailOverAsync(server, new(), async run =>
        {
            var fencing = run.World.Hold("fence");
            await run.LoseAsync();
            await fencing.ReachedAsync();
            await run.TellAsync("abort", new AbortInput("changed our minds"));
            await run.ReportAsync();
        }),
        ["failover-void"] = server => FailOverAsync(server, new() { Witness = new(7, "us-east-1", "first", new(41, TimeSpan.FromSeconds(1), false), null) }, async run =>
        {
            await run.LoseAsync();
            await run.ReportAsync();
        }),
        ["failover-parked-and-skipped"] = server => FailOverAsync(server, new FakeDatabase().Fail("repoint", "No such record.", FailureTypes.Rejected), async run =>
        {
            await run.LoseAsync();
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("skipStep", new StepInput("repoint", "by hand"));
            await run.ReportAsync();
        }),
        ["restarted-in-place"] = server => FailOverAsync(server, new(), async run =>
        {
            await run.SeeAsync("fenced", "fenced", stalled: false, synchronous: false);
            await Wait.UntilAsync(() => Task.FromResult(run.World.Events), events => events.Contains("unfence"), events => string.Join(' ', events));
            await run.SeeAsync("serves", "serves", stalled: false);
            await run.UntilDecidedAsync(FailoverReason.Healthy);
        }),
        ["failed-over-since-commits-waited"] = server => FailOverAsync(server, new() { Witness = new(7, "us-east-1", "first", new(41, TimeSpan.FromSeconds(1), true), null) }, async run =>
        {
            await run.SeeAsync("fenced", "fenced", stalled: false, sequence: 41);
            await run.ReportAsync();
        }),
        ["restarted-in-place-once-heard"] = server => FailOverAsync(server, new(), async run =>
        {
            await run.SeeAsync("serves", null, stalled: false, synchronous: false);
            await run.SeeAsync(null, "fenced", stalled: false, synchronous: false, sequence: 41);
            await Wait.UntilAsync(() => Task.FromResult(run.World.Events), events => events.Contains("unfence"), events => string.Join(' ', events));
            await run.SeeAsync("serves", "serves", stalled: false, sequence: 42);
            await run.UntilDecidedAsync(FailoverReason.Healthy);
        }),
        ["switched-over-and-back"] = server => FailOverAsync(server, new(), async run =>
        {
            await run.SeeAsync("serves", "serves", stalled: false);
            await run.UntilDecidedAsync(FailoverReason.Healthy);
            await run.TellAsync("failOver", new FailOverInput("kernel update"));
            await run.ReportAsync();
            await run.SeeAsync("serves", "serves", stalled: false, primary: "us-west-2", epoch: 8, sequence: 41);
            await run.TellAsync("failBack", new FailBackInput("the kernel is updated"));
            await run.ReportAsync(2);
        }),
        ["failover-readiness-looked-for-again"] = server => FailOverAsync(server, new() { Readiness = [new("synchronous", false, "Commits do not wait for a standby.")] }, async run =>
        {
            await run.LoseAsync();
            await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Any(step => step.Name == "readiness" && step.Detail!.StartsWith("Not yet", StringComparison.Ordinal)), status => status.Summary);
            run.World.Readiness = [new("synchronous", true, "Commits wait for the standby.")];
            await run.ReportAsync();
        }),
        ["failover-approver-told-of-room"] = server => FailOverAsync(server, new() { Approvals = 1, Capacity = new("capacity", false, "us-west-2 could not carry us-east-1: 1 of 4 nodes are ready.") }, async run =>
        {
            await run.SeeAsync("serves", "serves", stalled: false);
            await run.UntilDecidedAsync(FailoverReason.Healthy);
            await run.TellAsync("failOver", new FailOverInput("rack change", "ada", Forced: true));
            await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await Wait.UntilAsync(run.StatusAsync, status => status.Summary.EndsWith("nodes are ready.", StringComparison.Ordinal), status => status.Summary);
        }),
        ["failover-finished-at-another-cluster"] = server => FailOverAsync(server, FinishingTests.Interrupted(), run => run.ReportAsync()),
        ["failover-suspended"] = server => FailOverAsync(server, new(), async run =>
        {
            await run.SeeAsync("serves", "serves", stalled: false);
            await run.UntilDecidedAsync(FailoverReason.Healthy);
            await run.TellAsync("suspend", new SuspendInput("pivot-2-5f3a9c01"));
            await run.AlertAsync("fingerprint/2026-03-01T03:00:00Z");
            await run.UntilAsync(RunbookPhase.Suspended);
        }),
        ["failover-asked-and-continued"] = server => FailOverAsync(server, new() { Approvals = 2 }, async run =>
        {
            await run.LoseAsync(synchronous: false);
            var asked = await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await run.TellAsync("approve", new ApproveInput(asked.PlanHash, "ada"));
            var first = (await run.Handle.DescribeAsync()).RunId;
            await Wait.UntilAsync(
                async () =>
                {
                    await run.LoseAsync(synchronous: false);
                    // Seen by the run, before there is anything else to see.
                    await run.StatusAsync();
                    return (await run.Handle.DescribeAsync()).RunId;
                },
                now => now != first, _ => "It does not continue as new.");
        }),
        ["failover-ready"] = server => ReadinessAsync(server, new()),
        ["failover-not-ready"] = server => ReadinessAsync(server, new() { Readiness = [new("witness", false, "It keeps nothing. Start the guards."), new("lastDrill", null, "No drill is known.")] }),
        ["backup-complete"] = server => BackupAsync(server, new(), Runs.BackUpAsync),
        ["cluster-state-backed-up"] = server => BackupAsync(
            server, FakeBackups.Of(StoreKind.KubernetesState), (to, backups, environment) => Runs.BackUpAsync(to, backups, nameof(BackUpClusterState), environment)),
        ["cluster-state-backed-up-with-etcd"] = server => BackupAsync(
            server, FakeBackups.Of(StoreKind.KubernetesState, etcd: true).Fail("etcd"), (to, backups, environment) => Runs.BackUpAsync(to, backups, nameof(BackUpClusterState), environment)),
        ["vault-backed-up"] = server => BackupAsync(server, FakeBackups.Of(StoreKind.Vault), (to, backups, environment) => Runs.BackUpAsync(to, backups, nameof(BackUpVault), environment)),
        ["search-backed-up"] = server => BackupAsync(server, FakeBackups.Of(StoreKind.Elasticsearch), (to, backups, environment) => Runs.BackUpAsync(to, backups, nameof(BackUpSearch), environment)),
        ["backup-partial"] = server => BackupAsync(server, new() { Missing = ["Database shop could not be read."] }, Runs.BackUpAsync),
        ["backup-failed"] = server => BackupAsync(server, new FakeBackups().Fail("make", type: FailureTypes.Rejected), Runs.BackUpAsync),
        ["database-restored"] = server => RestoreAsync(server, new(), run => run.ApproveAsync()),
        ["database-restored-beside"] = server => RestoreAsync(server, new FakeBackups().Beside(), run => run.ApproveAsync()),
        ["database-exchanged"] = server => RestoreAsync(server, new FakeBackups().Exchanged(), run => run.ApproveAsync()),
        ["database-restored-while-no-set-is-made"] = server => RestoreAsync(server, new(), run => run.ApproveAsync()),
        ["database-restore-planned"] = server => RestoreAsync(server, new(), _ => Task.CompletedTask, RunbookMode.Plan),
        ["database-restore-rejected"] = server => RestoreAsync(server, new(), async run =>
        {
            await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await run.TellAsync("reject", new RejectInput("the wrong minute", "ben"));
        }),
        ["database-restore-taken-back"] = server => RestoreAsync(server, new FakeBackups().Fail("Claim", type: FailureTypes.Conflict), async run =>
        {
            await run.ApproveAsync();
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("abort", new AbortInput("changed our minds"));
        }),
        ["database-restore-parked-and-skipped"] = server => RestoreAsync(server, new FakeBackups().Fail("make", type: FailureTypes.Rejected).Fail("Open", type: FailureTypes.Rejected), async run =>
        {
            await run.ApproveAsync();
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("skipStep", new StepInput("backUp", "its disk is gone"));
            await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Any(step => step is { Name: "open", State: StepState.Failed }), status => status.Summary);
            await run.TellAsync("retryStep", new StepInput("open"));
        }),
        ["cluster-state-restored"] = server => RestoreStateAsync(server, FakeBackups.Of(StoreKind.KubernetesState), run => run.ApproveAsync()),
        ["cluster-state-restored-by-velero"] = server =>
        {
            var backups = FakeBackups.Of(StoreKind.KubernetesState);
            backups.StateRestore = backups.StateRestore! with { Velero = new("velero", "platformops-1", "u1", 42, ["secrets"]) };
            return RestoreStateAsync(server, backups, run => run.ApproveAsync());
        },
        ["cluster-state-overwritten-in-part"] = server => RestoreStateAsync(server, RestoreClusterStateTests.Overwriting().Trouble("us-east-1 Ingress shop/web could not be restored: its webhook refuses."), async run =>
        {
            await RestoreClusterStateTests.ApproveOverwritingAsync(run);
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("skipStep", new StepInput("restore", "nobody needs it any more"));
        }),
        ["cluster-state-restore-aborted"] = server => RestoreStateAsync(server, FakeBackups.Of(StoreKind.KubernetesState).Fail("restoreState", type: FailureTypes.Forbidden), async run =>
        {
            await run.ApproveAsync();
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("abort", new AbortInput("changed our minds"));
        }),
        ["search-restored"] = server => RestoreSearchAsync(server, FakeBackups.Of(StoreKind.Elasticsearch), RestoreSearchTests.ApproveAsync),
        ["search-restored-while-no-set-is-made"] = server => RestoreSearchAsync(server, FakeBackups.Of(StoreKind.Elasticsearch), RestoreSearchTests.ApproveAsync),
        ["search-restore-taken-back"] = server => RestoreSearchAsync(server, FakeBackups.Of(StoreKind.Elasticsearch).Fail("Close", type: FailureTypes.Conflict), async run =>
        {
            await RestoreSearchTests.ApproveAsync(run);
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("abort", new AbortInput("not today"));
        }),
        ["vault-restored"] = server => RestoreVaultAsync(server, FakeBackups.Of(StoreKind.Vault), run => run.ApproveAsync()),
        ["vault-restored-while-no-set-is-made"] = server => RestoreVaultAsync(server, FakeBackups.Of(StoreKind.Vault), run => run.ApproveAsync()),
        ["store-locked"] = async server =>
        {
            await RestoreVaultAsync(server, FakeBackups.Of(StoreKind.Vault), run => run.ApproveAsync());
            return BackUpStore.WorkflowId("development", "postgresql");
        },
        ["vault-restored-unjudged"] = server => RestoreVaultAsync(
            server, FakeBackups.Of(StoreKind.Vault).Fail("vaultInventory", type: FailureTypes.Forbidden).Fail("vaultOpen", type: FailureTypes.Rejected).Fail("vaultFence", type: FailureTypes.Rejected),
            RestoreVaultTests.AnswerForEverythingAsync),
        ["environment-restored"] = server => RestoreEnvironmentAsync(server, RestoreEnvironmentTests.Cold(), run => run.ApproveAsync()),
        ["environment-restored-with-temporal-still"] = server =>
        {
            var backups = RestoreEnvironmentTests.Cold();
            backups.Stores.Clear();
            backups.Components = ["app", "temporal-frontend", "temporal-worker"];
            return RestoreEnvironmentAsync(server, backups, run => run.ApproveAsync());
        },
        ["backup-of-a-schedule"] = server => BackupAsync(server, new FakeBackups(), (to, backups, environment) => RunningRunbook<BackUpReport>.StartAsync(
            to, new(Chain), nameof(BackUpDatabase), $"{BackUpStore.WorkflowId(environment!, "postgresql")}-2026-03-01T00:00:00Z", new BackUpInput { Environment = environment, Store = "postgresql", OperationId = "op-recorded" }, backups)),
        ["backup-held"] = server => BackupAsync(server, new FakeBackups().With("new", 1), (server, backups, environment) => Runs.HoldAsync(server, backups, release: false, environment)),
        ["backups-read"] = server => BackupAsync(server, new FakeBackups().With("new", 1), Runs.ReadAsync),
        ["backup-verified"] = server => BackupAsync(server, new FakeBackups().With("new", 1), Runs.VerifyAsync),
        ["backup-found-damaged"] = server => BackupAsync(server, new FakeBackups().With("new", 1).Fail("restore", type: FailureTypes.Damaged), Runs.VerifyAsync),
        ["backup-restored-unread"] = server => BackupAsync(server, new FakeBackups { Unread = "Its server cannot be reached." }.With("new", 1), Runs.VerifyAsync),
        ["backup-verification-not-due"] = server => BackupAsync(server, new FakeBackups(), Runs.VerifyAsync),
        ["retention-applied"] = server => BackupAsync(
            server, new FakeBackups().With("gone", 60, marked: FakeBackups.Start.AddDays(-2)).With("old", 50).With("begin", 31).With("new", 1), (to, backups, environment) => Runs.RetainAsync(to, backups, environment: environment)),
        ["retention-planned"] = server => BackupAsync(server, new FakeBackups().With("new", 1), (to, backups, environment) => Runs.RetainAsync(to, backups, RunbookMode.Plan, environment)),
        ["secret-rotated"] = server => SecretAsync(server, new(), _ => Task.CompletedTask),
        ["secret-rotated-in-two-versions"] = server => SecretAsync(server, new() { GoesTo = 3 }, _ => Task.CompletedTask),
        ["secret-parked-and-skipped"] = server => SecretAsync(server, new() { Stranger = "Pod/debug" }, async run =>
        {
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("skipStep", new StepInput("Pod/debug", "somebody looks at something"));
        }),
        ["secret-without-consumers-parked-and-skipped"] = server => SecretAsync(server, new() { Consumers = [] }, async run =>
        {
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("skipStep", new StepInput("nobody", "it is for emergencies"));
        }),
        ["secret-consumer-asked-again"] = server => SecretAsync(server, new() { Consumers = ["Application/a", "StatefulSet/argocd"], Stubborn = "Application/a" }, async run =>
        {
            await run.UntilAsync(RunbookPhase.Parked);
            run.Secrets.Stubborn = null;
            await run.TellAsync("retryStep", new StepInput("Application/a"));
        }),
        ["secret-returned"] = server => SecretAsync(server, new() { Sessions = 1 }, async run =>
        {
            await run.UntilAsync(status => status.Summary.Contains("sessions as", StringComparison.Ordinal));
            run.Secrets.Sessions = 0;
            await run.TellAsync("abort", new AbortInput("changed our minds"));
        }),
        ["secret-step-of-unknown-outcome"] = server => SecretAsync(server, new FakeSecrets().Fail("set", afterEffect: true), _ => Task.CompletedTask),
        ["leak-answered-in-two-waves"] = async server =>
        {
            var secrets = new FakeSecrets("token", "a") { Reach = new([LeakResponseTests.Reached("token", 0, opens: 1), LeakResponseTests.Reached("a", 1) with { Unfinished = true }], [], null) };
            await using var run = await LeakResponseTests.StartAsync(server, secrets, "development", new() { Settle = "1s" });
            await LeakResponseTests.ReportAsync(run);
            return run.Handle.Id;
        },
        ["secrets-rotated-together"] = async server =>
        {
            await using var run = await SecretRun.StartTogetherAsync(server, new("a", "b"), "development");
            await run.TogetherAsync();
            return run.Handle.Id;
        },
        ["secret-whose-server-is-behind-before-its-consumers-are-restarted"] = async server =>
        {
            await using var run = await SecretRun.StartTogetherAsync(server, new("a") { Behind = 2 }, "development");
            await run.TogetherAsync();
            return PlatformOps.Workflows.Secrets.RotateSecret.WorkflowId("development", "a", "us-east-1");
        },
        ["upgrade-refused"] = server => UpgradeAsync(server, new(UpgradeTests.Refused), new(), _ => Task.CompletedTask),
        ["scaled"] = server => ScaleAsync(server, new(), new() { Replicas = 5 }, _ => Task.CompletedTask),
        ["scale-refused"] = server => ScaleAsync(server, new(), new() { Replicas = 11 }, _ => Task.CompletedTask),
        ["scaled-for-a-while"] = server => ScaleAsync(server, new(), new() { Replicas = 5, For = "4s" }, _ => Task.CompletedTask),
        ["scale-taken-back"] = server => ScaleAsync(server, new() { Signals = replicas => (150.0 / replicas, replicas > 4 ? 500 : 20) }, new() { Replicas = 5 }, _ => Task.CompletedTask),
        ["scale-approved-and-aborted"] = server => ScaleAsync(server, new() { GuardRails = new(1, 1, false, TimeSpan.FromHours(1)) }, new() { Replicas = 5, For = "1h" }, async run =>
        {
            await run.TellAsync("approve", new ApproveInput((await run.UntilAsync(status => status.Phase == RunbookPhase.AwaitingApproval)).PlanHash, "ada"));
            await run.UntilAsync(status => status.WaitingFor?.For.StartsWith("the end of its time", StringComparison.Ordinal) == true);
            await run.TellAsync("abort", new AbortInput("over early"));
        }),
        ["class-scaled"] = server => ScaleAsync(server, new(), new() { InstanceClass = "db.r6g.xlarge" }, _ => Task.CompletedTask),
        ["class-refused"] = server => ScaleAsync(server, new(), new() { InstanceClass = "db.m6g.large" }, _ => Task.CompletedTask),
        ["class-for-a-while"] = server => ScaleAsync(server, new(), new() { InstanceClass = "db.r6g.xlarge", For = "4s" }, _ => Task.CompletedTask),
        ["class-aborted-while-it-is-made"] = server => ScaleAsync(server, new() { Modifying = true }, new() { InstanceClass = "db.r6g.xlarge" }, async run =>
        {
            await run.UntilAsync(_ => !run.World.Events.IsEmpty);
            await run.TellAsync("abort", new AbortInput("not now"));
            run.World.Modifying = false;
        }),
        ["scale-parked-and-retried"] = server => ScaleAsync(server, new FakeScaling().Fail(false, FailureTypes.Forbidden), new() { Replicas = 5 }, async run =>
        {
            await run.UntilAsync(status => status.Phase == RunbookPhase.Parked);
            await run.TellAsync("retryStep", new StepInput("web@us-east-1"));
        }),
        ["autoscaled-and-overridden"] = server => AutoscaleAsync(server, new() { Busy = (_, replicas) => 300.0 / replicas }, async run =>
        {
            await run.UntilDecidedAsync(decisions => decisions.Changes.Count > 0);
            await run.TellAsync("pause", new PauseInput(Reason: "an experiment"));
            await run.TellAsync("override", new OverrideInput("web", "us-east-1", 8, "the sale", "1h"));
            await run.TellAsync("resume", new PauseInput());
            await run.TellAsync("override", new OverrideInput("web", "us-east-1", 9, "the sale", "1h"));
            await run.UntilDecidedAsync(decisions => decisions.Changes.Count > 1);
        }),
        ["autoscale-refused-and-unseen"] = server => AutoscaleAsync(server, new() { Busy = (_, _) => 90, Around = _ => new() { Connections = new(10, [new("web", 3, 20)]) } }, async run =>
        {
            await run.UntilDecidedAsync(decisions => decisions.Latest.Count > 0);
            run.World.Away = true;
            await run.TellAsync("pause", new PauseInput(Reason: "an experiment"));
            await run.UntilAsync(status => status.Summary.StartsWith("Nothing can be seen", StringComparison.Ordinal));
        }),
        ["autoscale-node-handed-over"] = server => AutoscaleAsync(server, AutoscaleTests.Handed(), async run =>
        {
            await run.UntilDecidedAsync(decisions => decisions.Changes.Count > 0);
            // It would go on without this run, in the way of the next behaviour.
            await server.Client.GetWorkflowHandle(ScaleComponent.WorkflowId("development", "web", "us-east-1")).TerminateAsync();
        }),
        ["rollout-done"] = server => RolloutAsync(server, new(), _ => Task.CompletedTask),
        ["rollout-returned"] = server => RolloutAsync(server, new() { NewRuns = percentage => new(20, percentage > 10 ? 10 : 0, 0) }, _ => Task.CompletedTask),
        ["rollout-of-unknown-outcome"] = server => RolloutAsync(server, new FakeScaling().Fail(afterEffect: true), _ => Task.CompletedTask),
        ["rollout-parked-and-aborted"] = server => RolloutAsync(server, new FakeScaling().Fail(afterEffect: false, FailureTypes.Forbidden), async run =>
        {
            await run.UntilAsync(status => status.Phase == RunbookPhase.Parked);
            await run.TellAsync("abort", new AbortInput("changed our minds"));
        }),
        ["rollout-approved"] = server => RolloutAsync(server, new() { GuardRails = new(1, 1, false, TimeSpan.FromHours(1)) }, async run =>
        {
            var waiting = await run.UntilAsync(status => status.Phase == RunbookPhase.AwaitingApproval);
            await run.TellAsync("approve", new ApproveInput(waiting.PlanHash, "ada"));
        }),
        ["standby-has-room"] = server => WarmStandbyTests.ShownAsync(server, new()),
        ["standby-is-short"] = server => WarmStandbyTests.ShownAsync(server, new() { Standby = WarmStandbyTests.Short }),
        ["scale-node-emptied"] = server => ScaleAsync(server, ScaleComponentTests.Search(), new() { Replicas = 4 }, _ => Task.CompletedTask),
        ["certificate-rotated"] = server => CertificateAsync(server, new(), _ => Task.CompletedTask),
        ["certificate-step-of-unknown-outcome"] = server => CertificateAsync(server, new FakeCertificates().Fail("issue", afterEffect: true), _ => Task.CompletedTask),
        ["certificate-parked-and-skipped"] = server => CertificateAsync(server, new() { Refusing = true }, async run =>
        {
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("skipStep", new StepInput("Deployment/web", "it is going away today"));
        }),
        ["certificate-of-nobody-parked-and-skipped"] = server => CertificateAsync(server, new() { OfNobody = true }, async run =>
        {
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("skipStep", new StepInput("nobody", "a machine outside has it"));
        }),
        ["certificate-aborted"] = server => CertificateAsync(server, new() { Refusing = true }, async run =>
        {
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("abort", new AbortInput("changed our minds"));
        }),
        ["certificate-of-cert-manager-taken-up"] = server => CertificateAsync(server, new() { CertManager = true }, _ => Task.CompletedTask),
        ["authority-rotated"] = server => AuthorityAsync(server, new(), _ => Task.CompletedTask),
        ["authority-returned"] = server => AuthorityAsync(server, new FakeCertificates().Fail("activate", hopeless: true), async run =>
        {
            await run.UntilAsync(RunbookPhase.Parked);
            await run.TellAsync("abort", new AbortInput("changed our minds"));
        }),
        ["authority-validated-and-rotated"] = server => AuthorityAsync(server, new(), _ => Task.CompletedTask),
        ["certificates-rotated-in-turn"] = async server =>
        {
            await using var run = await CertificateRun.StartTogetherAsync(server, new("a", "b"), "development");
            await run.TogetherAsync();
            return run.Handle.Id;
        },
    };

    private static FakeWorld Guarded(Platform.Provisioning.ProvisioningPlan plan) => new(plan) { GuardRails = new(2, 2, false, TimeSpan.FromHours(4)) };

    private static FakeWorld Failing() => new FakeWorld(Chain).Fail("health postgresql@us-east-1", Reason, FailureTypes.Unhealthy);

    /// <summary>A world in which the last component does not become healthy by itself.</summary>
    private static FakeWorld Waiting()
    {
        var world = new FakeWorld(Chain);
        world.Hold("health frontend@us-east-1");
        return world;
    }

    private static async Task SkipAsync(ProvisioningRun run)
    {
        await run.UntilAsync(RunbookPhase.Parked);
        await run.SkipAsync("postgresql", "the database is looked after by hand");
    }

    private static async Task StopAsync(ProvisioningRun run, Func<Task> stop)
    {
        await run.World.Hold("health frontend@us-east-1").ReachedAsync();
        await run.UntilAsync("redis", StepState.Done);
        await stop();
    }

    private static async Task<string> FailOverAsync(RunbookServer server, FakeDatabase world, Func<FailoverRun, Task> act)
    {
        await using var run = await FailoverRun.StartAsync(server, world, environment: "production");
        await act(run);
        return run.Handle.Id;
    }

    private static async Task<FailoverReport> HandOverAsync(FailoverRun run)
    {
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        await run.TellAsync("failOver", new FailOverInput("kernel update", "ada", WithStack: true));
        return await run.ReportAsync();
    }

    private static async Task<string> WatchAsync(RunbookServer server)
    {
        await using var run = await FailoverRun.StartAsync(server, environment: "production");
        var watchdog = server.Client.GetWorkflowHandle(HandoverWatchdog.WorkflowId("production", (await HandOverAsync(run)).OperationId));
        await watchdog.GetResultAsync().WaitAsync(Wait.Patience);
        return watchdog.Id;
    }

    private static async Task<string> ReadinessAsync(RunbookServer server, FakeDatabase world)
    {
        await FailoverReadinessTests.LookAsync(server, world, "production");
        return FailoverReadiness.WorkflowId("production");
    }

    private static async Task<string> RestoreAsync(RunbookServer server, FakeBackups backups, Func<RunningRunbook<RestoreReport>, Task> conduct, RunbookMode mode = RunbookMode.Apply)
    {
        await using var run = await Runs.RestoreAsync(server, backups, mode);
        await conduct(run);
        await run.EndedAsync();
        return run.Handle.Id;
    }

    private static async Task<string> RestoreStateAsync(RunbookServer server, FakeBackups backups, Func<RunningRunbook<StateRestoreReport>, Task> conduct)
    {
        await using var run = await Runs.RestoreStateAsync(server, backups, environment: "development");
        await conduct(run);
        await run.EndedAsync();
        return run.Handle.Id;
    }

    private static async Task<string> RestoreVaultAsync(RunbookServer server, FakeBackups backups, Func<RunningRunbook<VaultRestoreReport>, Task> conduct)
    {
        await using var run = await Runs.RestoreVaultAsync(server, backups, environment: "development");
        await conduct(run);
        await run.EndedAsync();
        return run.Handle.Id;
    }

    private static async Task<string> RestoreSearchAsync(RunbookServer server, FakeBackups backups, Func<RunningRunbook<SearchRestoreReport>, Task> conduct)
    {
        await using var run = await Runs.RestoreSearchAsync(server, backups, environment: "development");
        await conduct(run);
        await run.EndedAsync();
        return run.Handle.Id;
    }

    private static async Task<string> RestoreEnvironmentAsync(RunbookServer server, FakeBackups backups, Func<RunningRunbook<EnvironmentRestoreReport>, Task> conduct)
    {
        await using var run = await Runs.RestoreEnvironmentAsync(server, backups, environment: "development");
        await conduct(run);
        await run.EndedAsync();
        return run.Handle.Id;
    }

    private static async Task<string> BackupAsync<T>(RunbookServer server, FakeBackups backups, Func<RunbookServer, FakeBackups, string?, Task<RunningRunbook<T>>> start)
    {
        await using var run = await start(server, backups, "development");
        await run.EndedAsync();
        return run.Handle.Id;
    }

    private static async Task<string> SecretAsync(RunbookServer server, FakeSecrets secrets, Func<SecretRun, Task> act)
    {
        await using var run = await SecretRun.StartAsync(server, secrets, "development");
        await act(run);
        await run.ReportAsync();
        return run.Handle.Id;
    }

    private static async Task<string> AuthorityAsync(RunbookServer server, FakeCertificates certificates, Func<CertificateRun, Task> act)
    {
        await using var run = await CertificateRun.StartAuthorityAsync(server, certificates, "development");
        await act(run);
        await run.AuthorityAsync();
        return run.Handle.Id;
    }

    private static async Task<string> AutoscaleAsync(RunbookServer server, FakeScaling world, Func<ScaleRun, Task> act)
    {
        await using var run = await ScaleRun.AutoscaleAsync(server, world, environment: "development");
        await act(run);
        await run.StopAsync();
        return run.Handle.Id;
    }

    private static async Task<string> ScaleAsync(RunbookServer server, FakeScaling world, ScaleComponentInput input, Func<ScaleRun, Task> act)
    {
        await using var run = await ScaleRun.StartAsync(server, world, input with { WatchFor = "1s" }, "development");
        await act(run);
        await run.ReportAsync();
        return run.Handle.Id;
    }

    private static async Task<string> RolloutAsync(RunbookServer server, FakeScaling world, Func<ScaleRun, Task> act)
    {
        await using var run = await ScaleRun.RollOutAsync(server, world, new() { StepFor = "1s", Percentages = [10, 50] }, "development");
        await act(run);
        await run.RolloutAsync();
        return run.Handle.Id;
    }

    private static async Task<string> CertificateAsync(RunbookServer server, FakeCertificates certificates, Func<CertificateRun, Task> act)
    {
        await using var run = await CertificateRun.StartAsync(server, certificates, "development", new() { ProveWithin = "1s" });
        await act(run);
        await run.ReportAsync();
        return run.Handle.Id;
    }

    private static async Task<string> DriftAsync(RunbookServer server, FakeWorld world, DetectDriftInput input, Func<RunningRunbook<DriftReport>, Task> act)
    {
        await using var run = await DriftTests.StartAsync(server, world, input with { OperationId = "op-recorded" }, "development");
        await act(run);
        await run.ReportAsync();
        return run.Handle.Id;
    }

    private static async Task<string> DecommissionAsync(RunbookServer server, FakeWorld world, Func<RunningRunbook<DecommissionReport>, Task> act)
    {
        await using var run = await DecommissionTests.StartAsync(server, world, new() { OperationId = "op-recorded" }, "development");
        await act(run);
        await run.ReportAsync();
        return run.Handle.Id;
    }

    private static async Task<string> UpgradeAsync(RunbookServer server, FakeWorld world, UpgradeComponentInput input, Func<RunningRunbook<UpgradeReport>, Task> act)
    {
        await using var run = await UpgradeTests.StartAsync(server, world, input with { OperationId = "op-recorded" }, "development");
        await act(run);
        await run.EndedAsync();
        return run.Handle.Id;
    }

    private static async Task<string> EndedAsync(RunbookServer server, FakeWorld world, Func<ProvisioningRun, Task> act, ProvisionEnvironmentInput? input = null)
    {
        await using var run = await server.ProvisionAsync(world, (input ?? new()) with { Environment = "development", OperationId = "op-recorded" });
        await act(run);
        try
        {
            await run.ReportAsync();
        }
        catch (Temporalio.Exceptions.WorkflowFailedException)
        {
            // A behaviour too: its history ends with the failure.
        }
        return run.Handle.Id;
    }
}
