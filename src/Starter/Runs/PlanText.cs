using PlatformOps.Platform.Provisioning;
using PlatformOps.Starter.CommandLine;
using Spectre.Console;

namespace PlatformOps.Starter.Runs;

/// <summary>A plan as an operator reads it: what changes, field by field, and what it rests on.</summary>
internal static class PlanText
{
    private const int KeptShown = 3;

    public static void Write(Terminal terminal, ProvisioningPlan plan)
    {
        foreach (var component in plan.Components.Where(component => component.Objects.Any(planned => planned.Action != PlannedAction.None || IsKept(planned))))
        {
            var after = component.DependsOn.Count > 0 ? $"[grey]  after {Markup.Escape(string.Join(", ", component.DependsOn))}[/]" : "";
            Line($"[bold]{Markup.Escape(component.Step)}[/]{after}");
            foreach (var planned in component.Objects.Where(planned => planned.Action != PlannedAction.None))
                Write(planned);
            foreach (var kept in component.Objects.Where(IsKept).GroupBy(planned => planned.Reason))
                Line($"  [grey]=[/] {Markup.Escape(Named([.. kept.Select(planned => Short(planned.Address))]))}  [grey]{Markup.Escape(kept.Key)}[/]");
        }

        Line(Markup.Escape(Summary(plan)));
        foreach (var note in plan.Notes ?? [])
            Line($"[yellow]note:[/] {Markup.Escape(note)}");
        Line($"[grey]plan hash {plan.Hash}[/]");

        void Write(PlannedObject planned)
        {
            var (symbol, style) = Look(planned.Action);
            Line($"  [{style}]{symbol}[/] {Markup.Escape(Short(planned.Address))}  [grey]{Markup.Escape(planned.Reason)}[/]");
            if (planned.Action is not (PlannedAction.Change or PlannedAction.Conflict))
                return;
            foreach (var change in planned.Changes)
                Line($"      {Markup.Escape(change.Path)}: [red]{Markup.Escape(change.From ?? "(absent)")}[/] → [green]{Markup.Escape(change.To ?? "(absent)")}[/]");
        }

        void Line(string markup) => terminal.Draw(new Markup($"{markup}\n"));
    }

    /// <summary>One line that says whether anything would happen.</summary>
    public static string Summary(ProvisioningPlan plan)
    {
        var objects = plan.Components.SelectMany(component => component.Objects).ToList();
        int Count(PlannedAction action) => objects.Count(planned => planned.Action == action);
        if (Count(PlannedAction.None) == objects.Count)
            return $"Plan for {plan.Environment}: no changes, {objects.Count} objects are as wanted.";
        string[] parts =
        [
            .. Part(PlannedAction.Create, "to create"), .. Part(PlannedAction.Change, "to change"), .. Part(PlannedAction.Prune, "to prune"),
            .. Part(PlannedAction.Conflict, "in conflict with another owner"), .. Part(PlannedAction.None, "unchanged"),
        ];
        return $"Plan for {plan.Environment}: {string.Join(", ", parts)}.";

        IEnumerable<string> Part(PlannedAction action, string words) => Count(action) is > 0 and var count ? [$"{count} {words}"] : [];
    }

    /// <summary>It could go, and the plan says why it does not.</summary>
    private static bool IsKept(PlannedObject planned) => planned.Action == PlannedAction.None && planned.Reason.StartsWith("Kept", StringComparison.Ordinal);

    private static string Named(IReadOnlyList<string> names) =>
        names.Count <= KeptShown + 1 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(KeptShown))} and {names.Count - KeptShown} more";

    private static (string Symbol, string Style) Look(PlannedAction action) => action switch
    {
        PlannedAction.Create => ("+", "green"),
        PlannedAction.Change => ("~", "yellow"),
        PlannedAction.Prune => ("-", "red"),
        PlannedAction.Conflict => ("!", "red bold"),
        _ => (" ", "grey"),
    };

    private static string Short(ResourceAddress address) =>
        address.Namespace is null ? $"{address.Kind} {address.Name}" : $"{address.Kind} {address.Namespace}/{address.Name}";
}
