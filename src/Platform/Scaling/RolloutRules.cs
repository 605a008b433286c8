using System.Globalization;

namespace PlatformOps.Platform.Scaling;

public enum RolloutVerdict
{
    /// <summary>Nothing is to be done yet.</summary>
    Wait,

    /// <summary>The version gets a part of the new runs.</summary>
    Ramp,

    /// <summary>The version gets all new runs.</summary>
    MakeCurrent,

    /// <summary>It does not do well: the version before gets all new runs again.</summary>
    Return,

    /// <summary>It has all new runs and did well.</summary>
    Finished,

    /// <summary>Somebody else rolls out another version, or has changed what was set: that is left as it is.</summary>
    Leave,
}

/// <param name="Percentage">For <see cref="RolloutVerdict.Ramp"/>: the part that it gets.</param>
/// <param name="Why">A sentence.</param>
public sealed record RolloutDecision(RolloutVerdict Verdict, string Why, double Percentage = 0);

/// <summary>Decides what a rollout of a worker version does next.</summary>
public static class RolloutRules
{
    /// <param name="progress">What the rollout has set last; null: nothing yet.</param>
    public static RolloutDecision Decide(RolloutSight sight, RolloutPolicy policy, RolloutProgress? progress)
    {
        if (Left(sight, policy, progress) is { } left)
            return left;
        if (sight.Versions.All(version => version.BuildId != policy.BuildId))
            return progress is null
                ? Wait($"No worker of {policy.BuildId} has polled for {sight.Deployment} yet.")
                : new(RolloutVerdict.Return, $"Temporal knows version {policy.BuildId} no more.");
        if (sight.MissingQueues.Count > 0)
        {
            var queues = string.Join(", ", sight.MissingQueues);
            return progress is null
                ? Wait($"No worker of {policy.BuildId} polls {queues}, which those of {Name(sight.Current)} poll.")
                : new(RolloutVerdict.Return, $"No worker of {policy.BuildId} polls {queues} any more.");
        }

        if (progress is null)
            return sight.Current == policy.BuildId
                ? new(RolloutVerdict.Finished, $"{policy.BuildId} has all new runs already.")
                : Next(policy, 0);
        if (Worse(sight, policy) is { } worse)
            return new(RolloutVerdict.Return, worse);
        if (progress.Since + policy.StepFor > sight.At)
            return Wait($"{policy.BuildId} has {Percent(progress.Percentage)} of the new runs until {progress.Since + policy.StepFor:yyyy-MM-dd HH:mm:ss}Z at least: {InWords(sight.New)}.");
        if (sight.New.Closed < policy.AtLeast)
            return Wait($"{sight.New.Closed} of the {policy.AtLeast} runs on {policy.BuildId} that are wanted at {Percent(progress.Percentage)} have ended.");
        return progress.Percentage >= 100
            ? new(RolloutVerdict.Finished, $"{policy.BuildId} has all new runs: {InWords(sight.New)}.")
            : Next(policy, progress.Percentage);
    }

    /// <summary>The part that comes after one, whatever is known of the runs.</summary>
    public static RolloutDecision Next(RolloutPolicy policy, double percentage) => policy.Percentages.FirstOrDefault(part => part > percentage) is > 0 and var next
        ? new(RolloutVerdict.Ramp, $"{policy.BuildId} gets {Percent(next)} of the new runs.", next)
        : new(RolloutVerdict.MakeCurrent, $"{policy.BuildId} gets all new runs.", 100);

    /// <summary>Null: it is not worse, as far as runs have ended.</summary>
    private static string? Worse(RolloutSight sight, RolloutPolicy policy)
    {
        if (sight.New.Stuck > 0)
            return $"{sight.New.Stuck} runs on {policy.BuildId} are stuck: their workflow tasks fail again and again.";
        // One failure of few says little: it counts as a part of as many runs as are wanted, so that it is judged as soon as the rest could not mend it.
        var share = 100.0 * sight.New.Failed / Math.Max(sight.New.Closed, policy.AtLeast);
        var allowed = sight.Old.FailedPercent + policy.WorseBy;
        return share > allowed
            ? $"Of runs on {policy.BuildId} {InWords(sight.New)}, on {Name(sight.Current == policy.BuildId ? null : sight.Current, "the version before")} {InWords(sight.Old)}: more than {Percent(policy.WorseBy)} worse."
            : null;
    }

    private static RolloutDecision? Left(RolloutSight sight, RolloutPolicy policy, RolloutProgress? progress)
    {
        if (progress is null)
            return sight.Ramping is { } other && other != policy.BuildId
                ? new(RolloutVerdict.Leave, $"{other} is being rolled out: it has {Percent(sight.Percentage)} of the new runs. Let that end, or take its part away with `temporal worker deployment set-ramping-version --delete`.")
                : null;
        var mine = progress.Percentage >= 100 ? sight.Current == policy.BuildId : sight.Ramping == policy.BuildId && Math.Abs(sight.Percentage - progress.Percentage) < 0.01;
        return mine ? null : new(RolloutVerdict.Leave, $"Somebody else has changed where the new runs go: {Name(sight.Current)} is current{(sight.Ramping is { } ramping ? $", {ramping} has {Percent(sight.Percentage)}" : "")}.");
    }

    private static string InWords(RunCounts runs) => string.Create(CultureInfo.InvariantCulture, $"{runs.Failed} of {runs.Closed} failed ({runs.FailedPercent:0.#}%)");

    private static string Name(string? buildId, string otherwise = "workers without a version") => buildId ?? otherwise;

    private static string Percent(double part) => string.Create(CultureInfo.InvariantCulture, $"{part:0.##}%");

    private static RolloutDecision Wait(string why) => new(RolloutVerdict.Wait, why);
}
