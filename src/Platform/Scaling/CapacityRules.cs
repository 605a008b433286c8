using System.Globalization;

namespace PlatformOps.Platform.Scaling;

/// <summary>What a Temporal cluster has to carry, and how quick it has to be meanwhile.</summary>
/// <param name="StartsPerSecond">Workflows that are started.</param>
/// <param name="ActivitiesPerSecond">Activities that are carried out.</param>
/// <param name="Open">Workflows that are open at the same time.</param>
/// <param name="StartWithin">The time within which 99 of 100 starts are answered.</param>
/// <param name="PickedUpWithin">The time within which 99 of 100 activities reach a worker.</param>
public sealed record CapacityTargets(int StartsPerSecond, int ActivitiesPerSecond, int Open, TimeSpan StartWithin, TimeSpan PickedUpWithin)
{
    /// <summary>How many activities each workflow has, so that the two rates are reached together; at least one.</summary>
    public int ActivitiesEach => Math.Max(1, (int)Math.Round((double)ActivitiesPerSecond / StartsPerSecond));

    /// <summary>How long each workflow stays open, so that at the full rate as many are open as there are to be.</summary>
    public TimeSpan OpenFor => TimeSpan.FromSeconds((double)Open / StartsPerSecond);
}

/// <summary>What was measured in one step of the load.</summary>
/// <param name="Percent">Of the targets: how much was asked for.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Started">Workflows that the cluster has accepted.</param>
/// <param name="Failed">Starts that it has not.</param>
/// <param name="Activities">Activities that were carried out.</param>
/// <param name="MostOpen">The most workflows that were open at the same time.</param>
/// <param name="Starts">How long starts took; null: there was none.</param>
/// <param name="PickUps">How long activities waited for a worker; null: there was none.</param>
public sealed record CapacityStep(int Percent, double Seconds, int Started, int Failed, int Activities, int MostOpen, Percentiles? Starts, Percentiles? PickUps)
{
    public double StartsPerSecond => Seconds > 0 ? Started / Seconds : 0;

    public double ActivitiesPerSecond => Seconds > 0 ? Activities / Seconds : 0;
}

/// <summary>In milliseconds.</summary>
public sealed record Percentiles(double P50, double P95, double P99)
{
    /// <summary>Null of nothing.</summary>
    public static Percentiles? Of(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0)
            return null;
        var sorted = values.Order().ToList();
        return new(At(0.50), At(0.95), At(0.99));

        double At(double part) => Math.Round(sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Count) - 1, 0, sorted.Count - 1)], 1);
    }
}

/// <summary>When a load has shown enough. Pure.</summary>
public static class CapacityRules
{
    /// <summary>A cluster that takes less than this part of what it is asked for does not keep up: less would be the unevenness of a load.</summary>
    public const double KeepsUp = 0.95;

    /// <summary>One start in a thousand may be refused.</summary>
    public const double MayFail = 0.001;

    /// <summary>Why the load ends here, as a sentence; null: the objectives are kept.</summary>
    /// <param name="step">What was measured in the step so far.</param>
    public static string? Breach(CapacityTargets targets, CapacityStep step)
    {
        var asked = targets.StartsPerSecond * step.Percent / 100.0;
        if (step.Failed > Math.Max(1, (step.Started + step.Failed) * MayFail))
            return string.Create(CultureInfo.InvariantCulture, $"{step.Failed} of {step.Started + step.Failed} starts were refused or not answered.");
        if (step.Starts is { } starts && starts.P99 > targets.StartWithin.TotalMilliseconds)
            return string.Create(CultureInfo.InvariantCulture, $"99 of 100 starts took up to {starts.P99:0} ms; {targets.StartWithin.TotalMilliseconds:0} ms are allowed.");
        if (step.PickUps is { } pickUps && pickUps.P99 > targets.PickedUpWithin.TotalMilliseconds)
            return string.Create(CultureInfo.InvariantCulture, $"99 of 100 activities waited up to {pickUps.P99:0} ms for a worker; {targets.PickedUpWithin.TotalMilliseconds:0} ms are allowed.");
        // One start may be due at the end of the step.
        return step.Started + 1 < asked * step.Seconds * KeepsUp
            ? string.Create(CultureInfo.InvariantCulture, $"{step.StartsPerSecond:0.0} workflows were started each second; {asked:0.0} were asked for.")
            : null;
    }

    /// <summary>What the steps have shown, as a sentence.</summary>
    /// <param name="breach">Why the last step was the last one; null: it was not cut short.</param>
    public static string Verdict(CapacityTargets targets, IReadOnlyList<CapacityStep> steps, string? breach, bool interrupted)
    {
        var held = breach is null && !interrupted ? steps : [.. steps.SkipLast(1)];
        var best = held.Count == 0 ? "No step was held." : string.Create(
            CultureInfo.InvariantCulture, $"Held: {held[^1].StartsPerSecond:0} starts and {held[^1].ActivitiesPerSecond:0} activities each second, {held.Max(step => step.MostOpen)} open ({held[^1].Percent} % of the targets).");
        return breach is not null ? $"{breach} {best}"
            : interrupted ? $"It was interrupted. {best}"
            : Reached(targets, steps) ? $"The targets are reached. {best}"
            : $"The objectives were kept, and not all targets were reached. {best}";
    }

    /// <summary>Whether the last step was at the targets in all three numbers.</summary>
    public static bool Reached(CapacityTargets targets, IReadOnlyList<CapacityStep> steps) => steps is [.., { } last]
        && last.StartsPerSecond >= targets.StartsPerSecond * KeepsUp && last.ActivitiesPerSecond >= targets.ActivitiesPerSecond * KeepsUp && steps.Max(step => step.MostOpen) >= targets.Open * KeepsUp;
}
