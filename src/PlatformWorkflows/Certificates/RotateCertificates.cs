using System.Text.Json;
using PlatformOps.Platform.Certificates;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Certificates;

/// <summary>Rotates the certificates that are due in an environment, or that are named; no authority is asked more often than it is declared to bear. See <c>docs/runbooks/rotate-certificates.md</c>.</summary>
[Workflow]
public sealed class RotateCertificates
{
    /// <summary>How many are rotated before the run continues as new, and looks again for what is due: about 1,500 events.</summary>
    private const int Page = 100;

    /// <summary>How many a plan lists.</summary>
    private const int Listed = 300;

    private readonly Dictionary<string, CertificateResult> results = [];
    private readonly HashSet<string> waiting = [];
    private readonly List<(string Authority, DateTimeOffset At)> asked = [];
    private int asks;
    private RotatedBefore before = new([], 0, [], [], new(Workflow.UtcNow));
    private IReadOnlyList<FoundCertificate> chosen = [];
    private RunbookPhase phase = RunbookPhase.Observing;
    private string environment = "", operationId = "", summary = "Looking for what is due.";

    private static DateTimeOffset Now => new(Workflow.UtcNow);

    /// <summary>Workflow id of the run for an environment, and id of the schedule that starts it.</summary>
    public static string WorkflowId(string environment) => $"certificates/{environment}";

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => new()
    {
        Runbook = nameof(RotateCertificates),
        Environment = environment,
        OperationId = operationId,
        Phase = phase,
        Summary = summary,
        Steps = [.. chosen.Select(found => Step(found.Certificate))],
        Next = phase == RunbookPhase.Acting ? "Each certificate ends when every pod is proved to serve the new one." : null,
        IfStoppedNow = "The runs of the single certificates go on; each says for itself what state it is in.",
        Compensations = [],
        StartedAt = before.StartedAt,
    };

    /// <summary>The runbook: find what is due; let each ask its authority in turn; let each prove and revoke; then look for more.</summary>
    [WorkflowRun]
    public async Task<RotateCertificatesReport> RunAsync(Input<RotateCertificatesInput>? input = null)
    {
        try
        {
            var given = RequestFields.Given(input);
            environment = RequestFields.Environment(given.Environment);
            if (given.Certificates is { Count: 0 })
                throw FailureTypes.Invalid("Field 'certificates' is empty. Leave it out for all that are due, or name some.");
            (_, _, _) = (CertificateRequest.SettleOf(given.Settle), CertificateRequest.ProveWithinOf(given.ProveWithin), RequestFields.ParkedAtMost(given.ParkedAtMost));
            operationId = RequestFields.OperationId(given.OperationId, "rotate", environment, Workflow.Info.FirstExecutionRunId);
            before = given.Before ?? before;
            asked.AddRange(before.Asked.Select(request => (request.Authority, request.At)));
            Identify();
            var found = await FindAsync(given);
            if (given.Mode == RunbookMode.Plan)
                return End(RotateCertificatesOutcome.Planned, $"{found.Due} of {found.Total} certificates of {environment} are due.", found);
            chosen = found.Certificates;
            if (chosen.Count > 0)
                await RotateAsync(given, found.PerMinute);
            if (chosen.Count == Page)
            {
                var rest = given with { Before = Together(), OperationId = operationId };
                throw Workflow.CreateContinueAsNewException((RotateCertificates workflow) => workflow.RunAsync(rest));
            }

            var all = Together();
            return all switch
            {
                { Done.Count: 0 } => End(RotateCertificatesOutcome.NothingDue, $"Nothing is due: the {found.Total} certificates of {environment} are younger than they may become.", found),
                { Failed.Count: 0 } => End(RotateCertificatesOutcome.Rotated, $"{all.Rotated} certificates are rotated.", found),
                _ => End(RotateCertificatesOutcome.Incomplete, $"{all.Failed.Count} of {all.Done.Count} certificates are not rotated: {string.Join(" ", all.Failed.Take(10).Select(result => $"{result.Certificate}: {result.Summary}"))}", found),
            };
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            Enter(RunbookPhase.Failed, FailureReason.Of(failure));
            throw new ApplicationFailureException(FailureReason.Of(failure), failure, FailureReason.TypeOf(failure), nonRetryable: true);
        }
    }

    /// <summary>A certificate is about to ask its authority, once.</summary>
    [WorkflowSignal("readyToIssue")]
    public Task ReadyToIssueAsync(ReadyToIssue ready)
    {
        waiting.Add($"{ready.Certificate}");
        asks++;
        return Task.CompletedTask;
    }

    private Task<FoundCertificates> FindAsync(RotateCertificatesInput given)
    {
        var look = new FindCertificatesInput(environment, given.Certificates, given.Mode != RunbookMode.Plan, before.Done, given.Mode == RunbookMode.Plan ? Listed : Page);
        return Workflow.ExecuteActivityAsync(
            (ICertificateActivities activities) => activities.FindCertificatesAsync(look),
            new() { Summary = $"What is due in {environment}", StartToCloseTimeout = TimeSpan.FromMinutes(5), RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 10 } });
    }

    private async Task RotateAsync(RotateCertificatesInput given, IReadOnlyDictionary<string, int> perMinute)
    {
        Enter(RunbookPhase.Acting, $"Rotating {chosen.Count} certificates{(before.Done.Count > 0 ? $", after {before.Done.Count} others" : "")}.");
        var running = chosen.Select(found => RotateAsync(found.Certificate, given)).ToList();
        while (results.Count < chosen.Count)
        {
            // Before anything is waited for: who asks meanwhile is seen in the next turn.
            var known = asks;
            var turn = RenewalPlanner.Turn(
                [.. chosen.Where(found => waiting.Contains($"{found.Certificate}")).Select(found => new Renewal($"{found.Certificate}", found.Authority, found.NotAfter ?? DateTimeOffset.MinValue))], perMinute, asked, Now);
            foreach (var renewal in turn.Now)
                await GiveTurnAsync(renewal);
            asked.RemoveAll(request => Now - request.At >= TimeSpan.FromMinutes(1));
            await Workflow.WaitConditionAsync(() => asks > known || results.Count == chosen.Count, turn.Next is { } next ? (next > Now ? next - Now : TimeSpan.Zero) : Timeout.InfiniteTimeSpan);
        }

        await Workflow.WhenAllAsync(running);
    }

    private async Task GiveTurnAsync(Renewal renewal)
    {
        asked.Add((renewal.Authority, Now));
        waiting.Remove(renewal.Name);
        try
        {
            await Workflow.GetExternalWorkflowHandle($"certificates/{environment}/{renewal.Name}").SignalAsync("yourTurn", []);
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            // It has ended meanwhile.
        }
    }

    private async Task RotateAsync(CertificateReference certificate, RotateCertificatesInput given)
    {
        try
        {
            var report = await Workflow.ExecuteChildWorkflowAsync(
                (RotateCertificate child) => child.RunAsync(Input<RotateCertificateInput>.Of(new()
                {
                    Environment = certificate.Environment,
                    Certificate = certificate.Name,
                    Region = certificate.Region,
                    Settle = given.Settle,
                    ProveWithin = given.ProveWithin,
                    ParkedAtMost = given.ParkedAtMost,
                    IssuedInTurn = true,
                })),
                new()
                {
                    Id = RotateCertificate.WorkflowId(certificate.Environment, certificate.Name, certificate.Region),
                    StaticSummary = $"Rotate {certificate} of {certificate.Environment}",
                    // What is handed out has to be proved and ended, whatever becomes of this run.
                    ParentClosePolicy = ParentClosePolicy.Abandon,
                });
            results[$"{certificate}"] = new(certificate, report.Outcome, report.Summary);
        }
        catch (FailureException failure) when (!TemporalException.IsCanceledException(failure))
        {
            results[$"{certificate}"] = new(certificate, null, FailureReason.Of(failure));
        }
    }

    /// <summary>What this part of the run and those before it have done.</summary>
    private RotatedBefore Together()
    {
        var failed = chosen.Select(found => results[$"{found.Certificate}"]).Where(result => result.Outcome is not (CertificateOutcome.Rotated or CertificateOutcome.Proved)).ToList();
        return new(
            [.. before.Done, .. chosen.Select(found => $"{found.Certificate}")], before.Rotated + chosen.Count - failed.Count, [.. before.Failed, .. failed],
            [.. asked.Select(request => new AskedAuthority(request.Authority, request.At))], before.StartedAt);
    }

    private RunbookStep Step(CertificateReference certificate) => results.TryGetValue($"{certificate}", out var result)
        ? new($"{certificate}", result.Outcome is CertificateOutcome.Rotated or CertificateOutcome.Proved ? StepState.Done : StepState.Failed, result.Summary, [], RotateCertificate.WorkflowId(environment, certificate.Name, certificate.Region))
        : new($"{certificate}", StepState.Running, waiting.Contains($"{certificate}") ? "Waits for its turn with the authority." : "On its way.", [], RotateCertificate.WorkflowId(environment, certificate.Name, certificate.Region));

    private RotateCertificatesReport End(RotateCertificatesOutcome outcome, string because, FoundCertificates found)
    {
        var all = Together();
        Enter(outcome == RotateCertificatesOutcome.Incomplete ? RunbookPhase.Failed : RunbookPhase.Completed, because);
        return new()
        {
            Environment = environment,
            OperationId = operationId,
            Outcome = outcome,
            Summary = because,
            Found = outcome == RotateCertificatesOutcome.Planned ? found.Certificates : [],
            Total = found.Total,
            Rotated = all.Rotated,
            Failed = all.Failed,
            StartedAt = before.StartedAt,
            FinishedAt = Now,
        };
    }

    private void Identify() => Workflow.UpsertTypedSearchAttributes(
        RunbookSearchAttributes.Runbook.ValueSet(nameof(RotateCertificates)),
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
