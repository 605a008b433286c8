using System.Text.Json;
using PlatformOps.Platform.Secrets;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Secrets;

/// <summary>Rotates everything that whoever has a leaked path or identity can get at, what lets read the most first, before a deadline; and reports what is not rotated, why, and what people have to do.
/// See <c>docs/runbooks/leak-response.md</c>.</summary>
[Workflow]
public sealed class LeakResponse
{
    /// <summary>Between attempts at what another run holds, or what parked.</summary>
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ShortestAttempt = TimeSpan.FromMinutes(1), LongestSettle = TimeSpan.FromMinutes(10);

    private readonly DateTimeOffset startedAt = new(Workflow.UtcNow);
    private readonly Dictionary<SecretReference, SecretResult> results = [];
    private LeakPlan plan = new([], [], null);
    private RunbookPhase phase = RunbookPhase.Observing;
    private DateTimeOffset deadline;
    private string environment = "", operationId = "", leaked = "", summary = "Looking for what is in reach.";
    private string? settle;

    private static DateTimeOffset Now => new(Workflow.UtcNow);

    /// <summary>Workflow id of the run for an environment: one at a time.</summary>
    public static string WorkflowId(string environment) => $"leak/{environment}";

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(LeakResponse),
        Environment = environment,
        OperationId = operationId,
        Phase = phase,
        Summary = summary,
        Steps = [.. plan.Reached.Select(Step)],
        WaitingFor = phase == RunbookPhase.Acting ? new("the rotations", "time", deadline) : null,
        Next = phase == RunbookPhase.Acting ? "Each secret ends when every consumer is proved to use its new value, and the leaked one is refused." : null,
        IfStoppedNow = "The runs of the single secrets go on; each says for itself what state it is in. What has not begun stays as it is, and leaked.",
        Compensations = [],
        StartedAt = startedAt,
    };

    /// <summary>The runbook: find what is in reach; rotate it, wave by wave; report at the deadline at the latest.</summary>
    [WorkflowRun]
    public async Task<LeakResponseReport> RunAsync(Input<LeakResponseInput>? input = null)
    {
        try
        {
            var given = Check(input);
            Identify();
            plan = await Workflow.ExecuteActivityAsync(
                (ISecretActivities activities) => activities.FindLeakAsync(new(environment, given.Path, given.Identity)),
                new() { Summary = $"What {leaked} reaches", StartToCloseTimeout = TimeSpan.FromMinutes(2), RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 10 } });
            if (plan.Problem is { } problem)
                throw FailureTypes.Invalid(problem);
            if (given.Mode == RunbookMode.Plan)
                return End(LeakOutcome.Planned, $"{leaked} reaches {plan.Reached.Count} secrets in {Waves.Count} waves, and {plan.Unrotatable.Count} that nobody rotates.");
            var running = new List<Task>();
            foreach (var wave in Waves)
            {
                Enter(RunbookPhase.Acting, $"Rotating {string.Join(", ", wave.Names)}, before {deadline:u}.");
                running.Add(RotateAsync(wave.Number, wave.Names));
                // One that is stuck takes no more than half of what is left from those that come after it.
                await Workflow.WaitConditionAsync(() => running.TrueForAll(task => task.IsCompleted), wave == Waves[^1] ? Left : Left / 2);
            }

            var missing = plan.Reached.Where(secret => !IsRotated(secret)).ToList();
            return missing.Count == 0 && plan.Unrotatable.Count == 0
                ? End(LeakOutcome.Contained, $"All {plan.Reached.Count} secrets in reach of {leaked} are rotated.")
                : End(LeakOutcome.Incomplete, $"{missing.Count} of {plan.Reached.Count} secrets in reach of {leaked} are not rotated, and {plan.Unrotatable.Count} more nobody rotates.");
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            Enter(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    private TimeSpan Left => deadline > Now ? deadline - Now : TimeSpan.Zero;

    private List<Wave> Waves => [.. plan.Reached.GroupBy(secret => secret.Wave).Select(wave => new Wave(wave.Key, [.. wave.Select(secret => secret.Name).Distinct()]))];

    private LeakResponseInput Check(Input<LeakResponseInput>? input)
    {
        var given = RequestFields.Given(input);
        environment = RequestFields.Environment(given.Environment);
        if (string.IsNullOrWhiteSpace(given.Path) == string.IsNullOrWhiteSpace(given.Identity))
            throw FailureTypes.Invalid("Exactly one of the fields 'path' and 'identity' says what leaked: a path in Vault, or a login, role, service account or workload.");
        leaked = given.Path ?? given.Identity!;
        var within = RequestFields.Duration("deadline", given.Deadline, TimeSpan.FromHours(24)) ?? TimeSpan.FromHours(1);
        if (within < TimeSpan.FromMinutes(5))
            throw FailureTypes.Invalid($"Field 'deadline' is '{given.Deadline}': 5m to 24h is expected. Consumers have to be restarted and proved.");
        _ = SecretRequest.SettleOf(given.Settle);
        deadline = startedAt + within;
        settle = given.Settle ?? Seconds(within / 10 < LongestSettle ? within / 10 : LongestSettle);
        operationId = RequestFields.OperationId(given.OperationId, "leak", environment, Workflow.Info.FirstExecutionRunId);
        return given;
    }

    /// <summary>Rotates some secrets, again and again as long as there is time: another run may hold one, or one may park.</summary>
    private async Task RotateAsync(int wave, IReadOnlyList<string> names)
    {
        // What an earlier rotation had begun, the first attempt ends; the value that it made may have leaked too.
        var (open, again) = (names.ToList(), plan.Reached.Where(secret => secret.Unfinished).Select(secret => secret.Name).ToHashSet());
        for (var attempt = 1; open.Count > 0 && Left > ShortestAttempt; attempt++)
        {
            var report = await AttemptAsync($"{WorkflowId(environment)}/{wave}-{attempt}", open);
            foreach (var result in report)
                results[result.Secret] = result;
            var done = open.Where(name => report.Where(result => result.Secret.Name == name).ToList() is { Count: > 0 } each && each.TrueForAll(result => result.Outcome == RotationOutcome.Rotated)).ToList();
            open.RemoveAll(name => done.Contains(name) && !again.Contains(name));
            var repeated = done.Where(again.Remove).ToList();
            if (open.Count > repeated.Count && Left > ShortestAttempt)
                await Workflow.DelayAsync(BetweenAttempts);
        }
    }

    private async Task<IReadOnlyList<SecretResult>> AttemptAsync(string id, IReadOnlyList<string> names)
    {
        try
        {
            return (await Workflow.ExecuteChildWorkflowAsync(
                (RotateSecrets child) => child.RunAsync(Input<RotateSecretsInput>.Of(new()
                {
                    Environment = environment,
                    Secrets = names,
                    Settle = settle,
                    // Nobody is waited for beyond the deadline: what parks is told in the report.
                    ProveWithin = Seconds(Left / 2),
                    ParkedAtMost = Seconds(Left / 4),
                    // What leaked is used by somebody who may not: that is worse than somebody being refused whom nobody knows.
                    NoConsumers = $"{leaked} leaked",
                })),
                new()
                {
                    Id = id,
                    StaticSummary = $"Rotate {string.Join(", ", names)} of {environment}",
                    ParentClosePolicy = ParentClosePolicy.Abandon,
                })).Secrets;
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            return [.. plan.Reached.Where(secret => names.Contains(secret.Name)).Select(secret => new SecretResult(Reference(secret), null, FailureReason.Of(failure)))];
        }
    }

    private SecretReference Reference(ReachedSecret secret) => new(environment, secret.Region, secret.Name);

    private bool IsRotated(ReachedSecret secret) => results.GetValueOrDefault(Reference(secret)) is { Outcome: RotationOutcome.Rotated };

    private LeakResponseReport End(LeakOutcome outcome, string because)
    {
        Enter(outcome == LeakOutcome.Incomplete ? RunbookPhase.Failed : RunbookPhase.Completed, because);
        var missing = outcome == LeakOutcome.Planned ? [] : plan.Reached.Where(secret => !IsRotated(secret)).Select(secret => results.GetValueOrDefault(Reference(secret)) ?? new(Reference(secret), null, "It was on its way at the deadline.")).ToList();
        return new()
        {
            Environment = environment,
            OperationId = operationId,
            Leaked = leaked,
            Outcome = outcome,
            Summary = because,
            Reached = plan.Reached,
            Rotated = [.. results.Values.Where(result => result.Outcome == RotationOutcome.Rotated).OrderBy(result => $"{result.Secret}", StringComparer.Ordinal)],
            NotRotated = missing,
            ForPeople =
            [
                .. missing.Select(result => $"{result.Secret} may still be used by whoever has it: platformops status {environment} --run {RotateSecret.WorkflowId(environment, result.Secret.Name, result.Secret.Region)} says what it waits for."),
                .. plan.Unrotatable,
                .. results.Values.Where(result => result is { Outcome: RotationOutcome.Rotated, NoConsumers: not null }).OrderBy(result => $"{result.Secret}", StringComparer.Ordinal)
                    .Select(result => $"{result.Secret} was rotated although nobody was found who uses it: whoever is refused from now on did. Give him the new value, and declare him (readBy), or that there is nobody (noConsumers)."),
                .. plan.Reached.Where(secret => secret.Kind is RotationKind.Value or RotationKind.CodecKey).Select(secret => $"Nobody can refuse the old value of {secret.Name}: what was signed or encrypted with it has to be ended or made anew by those who use it."),
                $"Look into the audit logs of Vault and of the systems for what was done with it since it leaked.",
            ],
            Deadline = deadline,
            StartedAt = startedAt,
            FinishedAt = Now,
        };
    }

    private RunbookStep Step(ReachedSecret secret)
    {
        var child = RotateSecret.WorkflowId(environment, secret.Name, secret.Region);
        return results.TryGetValue(Reference(secret), out var result)
            ? new($"{result.Secret}", result.Outcome == RotationOutcome.Rotated ? StepState.Done : StepState.Failed, result.Summary, [], child)
            : new($"{Reference(secret)}", phase == RunbookPhase.Acting ? StepState.Running : StepState.Pending, secret.Why, [], child);
    }

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(LeakResponse)),
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

    private static string Seconds(TimeSpan duration) => $"{Math.Max(1, (long)duration.TotalSeconds)}s";

    private static string InWords(Enum value) => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private sealed record Wave(int Number, IReadOnlyList<string> Names);
}
