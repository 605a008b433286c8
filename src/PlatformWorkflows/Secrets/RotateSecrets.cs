using System.Text.Json;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Secrets;

/// <summary>Rotates what is due in an environment, or what is named. Consumers of several secrets are restarted once for all of them. See <c>docs/runbooks/rotate-secrets.md</c>.</summary>
[Workflow]
public sealed class RotateSecrets
{
    /// <summary>How long a restarted consumer is watched before the next one is restarted regardless: whether it took the values up, each secret's own run proves.</summary>
    private static readonly TimeSpan RestartPatience = TimeSpan.FromMinutes(15);

    /// <summary>How long the first secret whose consumers are to be restarted waits for others.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private readonly Dictionary<SecretReference, ReadyToRefresh> ready = [];
    private readonly Dictionary<SecretReference, SecretResult> results = [];
    private readonly HashSet<SecretReference> restarted = [];
    private readonly SortedDictionary<string, int> restarts = new(StringComparer.Ordinal);
    private List<FoundSecret> chosen = [];
    private IReadOnlyList<FoundSecret> found = [];
    private RunbookPhase phase = RunbookPhase.Observing;
    private string environment = "", operationId = "", summary = "Looking for what is due.";

    /// <summary>Workflow id of the run for an environment, and id of the schedule that starts it.</summary>
    public static string WorkflowId(string environment) => $"secrets/{environment}";

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(RotateSecrets),
        Environment = environment,
        OperationId = operationId,
        Phase = phase,
        Summary = summary,
        Steps = [.. chosen.Select(found => Step(found.Secret))],
        Next = phase == RunbookPhase.Acting ? "Each secret ends when every consumer is proved to use its new value." : null,
        IfStoppedNow = "The runs of the single secrets go on; each says for itself what state it is in.",
        Compensations = [],
        StartedAt = startedAt,
    };

    /// <summary>The runbook: find what is due; rotate each up to its restarts; restart each consumer once; let each prove and revoke.</summary>
    [WorkflowRun]
    public async Task<RotateSecretsReport> RunAsync(Input<RotateSecretsInput>? input = null)
    {
        try
        {
            var given = RequestFields.Given(input);
            environment = RequestFields.Environment(given.Environment);
            if (given.Secrets is { Count: 0 })
                throw FailureTypes.Invalid("Field 'secrets' is empty. Leave it out for all that are due, or name some.");
            (_, _, _, _) = (SecretRequest.SettleOf(given.Settle), SecretRequest.ProveWithinOf(given.ProveWithin), RequestFields.ParkedAtMost(given.ParkedAtMost), SecretRequest.ReasonOf(given.NoConsumers));
            operationId = RequestFields.OperationId(given.OperationId, "rotate", environment, Workflow.Info.FirstExecutionRunId);
            Identify();
            found = (await Workflow.ExecuteActivityAsync(
                (ISecretActivities activities) => activities.FindSecretsAsync(new(environment, given.Secrets)),
                new() { Summary = $"What is due in {environment}", StartToCloseTimeout = TimeSpan.FromMinutes(2), RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 10 } })).Secrets;
            if (given.Mode == RunbookMode.Plan)
                return End(RotateSecretsOutcome.Planned, $"{found.Count(secret => secret.Due || secret.Unfinished)} of {found.Count} secrets of {environment} are due.");
            chosen = [.. found.Where(secret => given.Secrets is not null || secret.Due || secret.Unfinished)];
            if (chosen.Count == 0)
                return End(RotateSecretsOutcome.NothingDue, $"Nothing is due: the {found.Count} secrets of {environment} are younger than they may become.");
            Enter(RunbookPhase.Acting, $"Rotating {string.Join(", ", chosen.Select(secret => secret.Secret))}.");
            var running = chosen.Select(secret => RotateAsync(secret.Secret, given)).ToList();
            while (results.Count < chosen.Count)
            {
                await Workflow.WaitConditionAsync(() => Waiting().Count > 0 || results.Count == chosen.Count);
                // Those that come a little later share the restarts; one that is parked does not hold the others up.
                await Workflow.WaitConditionAsync(() => chosen.TrueForAll(secret => ready.ContainsKey(secret.Secret) || results.ContainsKey(secret.Secret)), Window);
                await RestartAsync(Waiting());
            }

            await Workflow.WhenAllAsync(running);
            var failed = results.Values.Where(result => result.Outcome != RotationOutcome.Rotated).ToList();
            return failed.Count == 0
                ? End(RotateSecretsOutcome.Rotated, $"{results.Count} secrets are rotated with {restarts.Values.Sum()} restarts.")
                : End(RotateSecretsOutcome.Incomplete, $"{failed.Count} of {results.Count} secrets are not rotated: {string.Join(" ", failed.Select(result => $"{result.Secret}: {result.Summary}"))}");
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            Enter(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>A secret is handed out, and its consumers have to be restarted.</summary>
    [WorkflowSignal("readyToRefresh")]
    public Task ReadyToRefreshAsync(ReadyToRefresh secret)
    {
        ready[secret.Secret] = secret;
        return Task.CompletedTask;
    }

    private async Task RotateAsync(SecretReference secret, RotateSecretsInput given)
    {
        try
        {
            var report = await Workflow.ExecuteChildWorkflowAsync(
                (RotateSecret child) => child.RunAsync(Input<RotateSecretInput>.Of(new()
                {
                    Environment = secret.Environment,
                    Secret = secret.Name,
                    Region = secret.Region,
                    Settle = given.Settle,
                    ProveWithin = given.ProveWithin,
                    ParkedAtMost = given.ParkedAtMost,
                    NoConsumers = given.NoConsumers,
                    RefreshedByParent = true,
                })),
                new()
                {
                    Id = RotateSecret.WorkflowId(secret.Environment, secret.Name, secret.Region),
                    StaticSummary = $"Rotate {secret} of {secret.Environment}",
                    // What is handed out has to be proved and ended, whatever becomes of this run.
                    ParentClosePolicy = ParentClosePolicy.Abandon,
                });
            results[secret] = new(secret, report.Outcome, report.Summary, report.Excused.GetValueOrDefault(ConsumerName.Nobody));
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            results[secret] = new(secret, null, FailureReason.Of(failure));
        }
    }

    /// <summary>Each consumer once, with everything that it has to take up; one at a time in each region.</summary>
    private List<ReadyToRefresh> Waiting() => [.. ready.Values.Where(secret => !results.ContainsKey(secret.Secret) && !restarted.Contains(secret.Secret))];

    private async Task RestartAsync(List<ReadyToRefresh> waiting)
    {
        restarted.UnionWith(waiting.Select(secret => secret.Secret));
        await Workflow.WhenAllAsync(waiting.GroupBy(secret => secret.Secret.Region).OrderBy(region => region.Key, StringComparer.Ordinal).Select(region => RestartInAsync(region.Key, [.. region])));
        foreach (var secret in waiting.Where(secret => !results.ContainsKey(secret.Secret)))
            await Workflow.GetExternalWorkflowHandle(RotateSecret.WorkflowId(environment, secret.Secret.Name, secret.Secret.Region)).SignalAsync("refreshed", []);
    }

    private async Task RestartInAsync(string region, IReadOnlyList<ReadyToRefresh> secrets)
    {
        var consumers = secrets.SelectMany(secret => secret.Consumers.Select(name => (In: ConsumerName.In(secret.Namespace, name), secret.KubernetesSecret, secret.Version)))
            .GroupBy(use => use.In).OrderBy(consumer => consumer.Key.Namespace, StringComparer.Ordinal).ThenBy(consumer => consumer.Key.Workload, StringComparer.Ordinal);
        foreach (var consumer in consumers)
        {
            var versions = consumer.GroupBy(use => use.KubernetesSecret).ToDictionary(secret => secret.Key, secret => secret.Max(use => use.Version));
            var name = $"{region}/{consumer.Key.Namespace}/{consumer.Key.Workload}";
            Enter(RunbookPhase.Acting, $"Restarting {name} for {string.Join(", ", versions.Keys.Order(StringComparer.Ordinal))}.");
            if (!await RestartedAsync(region, consumer.Key.Namespace, consumer.Key.Workload, versions))
                return;
            restarts[name] = restarts.GetValueOrDefault(name) + 1;
        }
    }

    /// <summary>False: the others go on with the values that they have, and the secrets' own runs say what is wrong with this one.</summary>
    private async Task<bool> RestartedAsync(string region, string space, string consumer, IReadOnlyDictionary<string, int> versions)
    {
        try
        {
            return !(await Workflow.ExecuteActivityAsync(
                (ISecretActivities activities) => activities.RestartConsumerAsync(new(environment, region, space, consumer, versions)),
                new()
                {
                    Summary = $"Restart {region}/{space}/{consumer}",
                    ScheduleToCloseTimeout = RestartPatience,
                    HeartbeatTimeout = TimeSpan.FromSeconds(30),
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromSeconds(30) },
                })).Hopeless;
        }
        catch (ActivityFailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            return false;
        }
    }

    private RunbookStep Step(SecretReference secret) => results.TryGetValue(secret, out var result)
        ? new($"{secret}", result.Outcome == RotationOutcome.Rotated ? StepState.Done : StepState.Failed, result.Summary, [], RotateSecret.WorkflowId(environment, secret.Name, secret.Region))
        : new($"{secret}", StepState.Running, ready.ContainsKey(secret) ? "Handed out; being taken up and proved." : "On its way to being handed out.", [], RotateSecret.WorkflowId(environment, secret.Name, secret.Region));

    private RotateSecretsReport End(RotateSecretsOutcome outcome, string because)
    {
        Enter(outcome == RotateSecretsOutcome.Incomplete ? RunbookPhase.Failed : RunbookPhase.Completed, because);
        return new()
        {
            Environment = environment,
            OperationId = operationId,
            Outcome = outcome,
            Summary = because,
            Found = found,
            Secrets = [.. chosen.Select(secret => results[secret.Secret])],
            Restarts = restarts,
            StartedAt = startedAt,
            FinishedAt = new(Workflow.UtcNow),
        };
    }

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(RotateSecrets)),
        RunbookSearchAttributes.Environment.ValueSet(environment),
        RunbookSearchAttributes.OperationId.ValueSet(operationId),
        RunbookSearchAttributes.Phase.ValueSet(InWords(phase)));

    private void Enter(RunbookPhase next, string because)
    {
        summary = because;
        if (next != phase)
        {
            PhaseMetrics.Follow(phase, next);
            phase = next;
            Workflow.UpsertTypedSearchAttributes(RunbookSearchAttributes.Phase.ValueSet(InWords(next)));
        }

        Workflow.CurrentDetails = $"**{InWords(next)}**: {because}";
    }

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
