using Temporalio.Workflows;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>A runbook that looks, takes the one next step, and looks again: where it stands, how long it waits between looks, and when it asks people.</summary>
public abstract class LookingRunbook : SteppedRunbook
{
    /// <summary>Failures of unknown outcome of one step that are looked at again before somebody is asked.</summary>
    private const int FailuresInARow = 5;

    /// <summary>So that a lost proof is noticed early in a short time, and a week of it stays below 10,000 events.</summary>
    private const int LooksWhileSettling = 20;

    /// <summary>Between looks: a tenth of the time that it has taken so far, in these bounds, so that waiting for a day stays far below 10,000 events.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250), LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>While a proof holds, and after a failure.</summary>
    private static readonly TimeSpan CalmPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestPauseOfProof = TimeSpan.FromHours(1);

    private string? failedAt;
    private int failures;
    private DateTimeOffset? waitingSince;

    private protected LookingRunbook(string looking, IEnumerable<RunbookStep> steps)
        : base(looking, steps)
    {
    }

    /// <summary>Somebody told it something.</summary>
    private protected bool News { get; set; }

    /// <summary>Consumers whose proof is not waited for, with why, as somebody said who answers for it.</summary>
    private protected Dictionary<string, string> Excused { get; } = [];

    /// <summary>How long a parked run waits for people.</summary>
    private protected abstract TimeSpan ParkedAtMost { get; }

    /// <summary>What is rotated, by its name.</summary>
    private protected abstract string Subject { get; }

    /// <summary>Everybody who uses it, as far as it was looked at.</summary>
    private protected abstract IEnumerable<string> Consumers { get; }

    /// <summary>What somebody answers for who does not wait for a consumer, as a phrase that begins with <c>why</c>.</summary>
    private protected abstract string SkippingMeans { get; }

    /// <summary>Looks again, at a parked run.</summary>
    [WorkflowUpdate("retryStep")]
    public Task<ControlResult> RetryStepAsync(Input<StepInput>? input = null)
    {
        News = true;
        return Task.FromResult(new ControlResult("It is looked at again."));
    }

    [WorkflowUpdateValidator(nameof(RetryStepAsync))]
    public void ValidateRetryStep(Input<StepInput>? input = null)
    {
        _ = ControlFields.Given(input);
        if (Phase != RunbookPhase.Parked)
            throw FailureTypes.Impossible($"retryStep is not possible: the run is not parked. {Summary}");
    }

    /// <summary>Goes on without the proof of a consumer, for which somebody answers.</summary>
    [WorkflowUpdate("skipStep")]
    public Task<ControlResult> SkipStepAsync(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        Excused[given.Step!] = given.Reason!;
        News = true;
        return Task.FromResult(new ControlResult($"{given.Step} is not waited for any more; the report will say so."));
    }

    [WorkflowUpdateValidator(nameof(SkipStepAsync))]
    public void ValidateSkipStep(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (Ended)
            throw FailureTypes.Impossible("skipStep is not possible: the run has ended.");
        var consumers = string.Join(", ", Consumers) is { Length: > 0 } names ? names : "none";
        ControlFields.Require("step", given.Step, $"which consumer: {consumers}");
        ControlFields.Require("reason", given.Reason, SkippingMeans);
        if (!Consumers.Contains(given.Step))
            throw FailureTypes.Invalid($"Field 'step': {given.Step} is no consumer of {Subject}. Possible: {consumers}.");
    }

    /// <summary>What state everything is in when the run ends here.</summary>
    private protected abstract string IfStoppedNow();

    /// <summary>A step went well: what failed or was waited for before is forgotten.</summary>
    private protected void Forget() => (failures, failedAt, waitingSince) = (0, null, null);

    /// <summary>For how long it has waited for something that others do.</summary>
    private protected TimeSpan Waited => waitingSince is { } since ? Now - since : TimeSpan.Zero;

    /// <summary>It is waited from now on, if it was not already.</summary>
    private protected void Waits() => waitingSince ??= Now;

    /// <summary>Waits before the next look: longer and longer, and not for ever.</summary>
    /// <param name="provedSince">Since when everything is proved; null: it is not.</param>
    /// <param name="settle">For how long the proof has to hold.</param>
    /// <param name="proveWithin">How long a proof is waited for before people are asked.</param>
    private protected async Task WaitAsync(string why, DateTimeOffset? provedSince, TimeSpan settle, TimeSpan proveWithin)
    {
        Waits();
        var settled = provedSince is not null;
        var until = settled ? provedSince!.Value + settle : waitingSince!.Value + proveWithin;
        if (!settled && Now >= until)
        {
            await ParkAsync($"Not proved within {InWords(proveWithin)}: {why}");
            return;
        }

        WaitingFor = new(settled ? "the proof to hold" : "the proof", "time", until);
        var pause = settled ? settle / LooksWhileSettling : (Now - waitingSince!.Value) / 10;
        var (shortest, longest) = settled ? (CalmPause, LongestPauseOfProof) : (ShortestPause, LongestPause);
        pause = pause < shortest ? shortest : pause > longest ? longest : pause;
        await NewsAsync(settled && until > Now && until - Now < pause ? until - Now : pause);
        WaitingFor = null;
        if (settled)
            waitingSince = null;
    }

    /// <summary>The same step again and again is somebody's business; a step that turns out to be done is not.</summary>
    private protected async Task LaterAsync(string failed, string why)
    {
        failures = failed == failedAt ? failures + 1 : 1;
        failedAt = failed;
        if (failures > FailuresInARow)
        {
            await ParkAsync(why);
            return;
        }

        EnterPhase(Phase, why);
        await NewsAsync(CalmPause * Math.Pow(2, failures - 1));
    }

    private protected async Task ParkAsync(string why)
    {
        EnterPhase(RunbookPhase.Parked, why);
        WaitingFor = new("retryStep, skipStep or abort", "operator", Now + ParkedAtMost);
        var answered = await NewsAsync(ParkedAtMost);
        WaitingFor = null;
        Forget();
        if (!answered)
            throw FailureTypes.Impossible($"Nobody continued the parked run within {InWords(ParkedAtMost)}. {why} {IfStoppedNow()}");
    }

    /// <returns>False: nothing came within that time.</returns>
    private protected async Task<bool> NewsAsync(TimeSpan within)
    {
        var came = await Workflow.WaitConditionAsync(() => News, within);
        News = false;
        return came;
    }
}
