namespace PlatformOps.Platform.Alerts;

/// <summary>Where alerts go: a rule says for which alerts, for which environment, and to which runbook.</summary>
/// <param name="Name">For messages and metrics.</param>
/// <param name="Matchers">All of them have to match.</param>
/// <param name="Environment">The environment's name; null: the label that <paramref name="EnvironmentLabel"/> names has it.</param>
/// <param name="Runbook">A workflow type of <see cref="AlertRouting.Runbooks"/>.</param>
public sealed record AlertRoute(string Name, IReadOnlyList<AlertMatcher> Matchers, string? Environment, string EnvironmentLabel, string Runbook);

/// <summary>What becomes of an alert.</summary>
public abstract record AlertDestination
{
    private AlertDestination()
    {
    }

    /// <summary>It is for a runbook of an environment.</summary>
    public sealed record Run(string Route, string Environment, string Runbook) : AlertDestination;

    /// <summary>It is for nobody.</summary>
    /// <param name="Reason">A sentence that ends with what to do.</param>
    public sealed record Nowhere(string Reason) : AlertDestination;
}

/// <summary>Decides where an alert goes. No side effects.</summary>
public static class AlertRouting
{
    /// <summary>Runbooks that take alerts, by workflow type.</summary>
    public static IReadOnlyList<string> Runbooks { get; } = ["RegionFailover"];

    /// <summary>The first rule that matches decides, as in Alertmanager.</summary>
    /// <param name="environments">The environments that there are: a label with another name starts nothing.</param>
    public static AlertDestination Route(Alert alert, IReadOnlyList<AlertRoute> routes, IReadOnlyCollection<string> environments)
    {
        if (routes.FirstOrDefault(route => route.Matchers.All(matcher => matcher.Matches(alert.Labels))) is not { } found)
            return new AlertDestination.Nowhere($"No route matches {InWords(alert)}: add one, or stop sending it here.");
        var environment = found.Environment ?? alert.Labels.GetValueOrDefault(found.EnvironmentLabel, "");
        if (environment.Length == 0)
            return new AlertDestination.Nowhere($"Route {found.Name} takes the environment from the label {found.EnvironmentLabel}, which {InWords(alert)} has not: add the label to the alert's rule, or state environment in the route.");
        return environments.Contains(environment)
            ? new AlertDestination.Run(found.Name, environment, found.Runbook)
            : new AlertDestination.Nowhere($"There is no environment {environment}, which {InWords(alert)} names: correct its label {found.EnvironmentLabel}, or add it to environments ({string.Join(", ", environments)}).");
    }

    private static string InWords(Alert alert)
    {
        var labels = alert.Labels.Where(label => label.Key != "alertname").OrderBy(label => label.Key, StringComparer.Ordinal).Take(6).Select(label => $"{label.Key}={label.Value}");
        return $"alert {alert.Name} ({string.Join(", ", labels)})";
    }
}
