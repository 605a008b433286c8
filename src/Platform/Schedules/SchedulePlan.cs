namespace PlatformOps.Platform.Schedules;

/// <summary>What has to happen so that Temporal has exactly the schedules that a specification declares.</summary>
public static class SchedulePlan
{
    /// <summary>The id in Temporal of a declared schedule.</summary>
    public static string IdOf(string environment, string name) => $"{name}/{environment}";

    /// <summary>Compares. Of what is not declared only that is removed which was made from this environment's specification.</summary>
    /// <param name="declared">By the ids of <see cref="IdOf"/>.</param>
    /// <param name="found">All schedules that might be meant; others are left alone.</param>
    /// <param name="prune">Whether what is not declared any more is removed.</param>
    public static IReadOnlyList<ScheduleChange> Make(string environment, IReadOnlyDictionary<string, ScheduleForm> declared, IReadOnlyList<FoundSchedule> found, bool prune)
    {
        var known = found.ToDictionary(schedule => schedule.Id);
        var changes = declared.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Decide(environment, pair.Key, pair.Value, known.GetValueOrDefault(pair.Key)));
        var others = found.Where(schedule => schedule.DeclaredBy == environment && !declared.ContainsKey(schedule.Id)).OrderBy(schedule => schedule.Id, StringComparer.Ordinal)
            .Select(schedule => prune
                ? new ScheduleChange(schedule.Id, ScheduleAction.Remove, [], "The specification does not declare it any more.")
                : new ScheduleChange(schedule.Id, ScheduleAction.Leave, [], "The specification does not declare it any more; --prune removes it."));
        return [.. changes, .. others];
    }

    private static ScheduleChange Decide(string environment, string id, ScheduleForm wanted, FoundSchedule? found)
    {
        if (found is null)
            return new(id, ScheduleAction.Create, [], $"{wanted.WorkflowType} {wanted.When}.");
        if (found.DeclaredBy is { } other && other != environment)
            return new(id, ScheduleAction.Refuse, [], $"It was made from the specification of {other}. Give the schedule another name.");
        if (found.DeclaredBy is null && found.Form.WorkflowType != wanted.WorkflowType)
            return new(id, ScheduleAction.Refuse, [], $"Somebody else's schedule has this id: it starts {found.Form.WorkflowType}. Remove it, or give the declared one another name.");
        var fields = found.Form.To(wanted);
        if (found.DeclaredBy is null)
            return new(id, ScheduleAction.Update, fields, "It was made by hand; from now on the specification says what it is.");
        return fields.Count > 0
            ? new(id, ScheduleAction.Update, fields, "It is not as declared.")
            : new(id, ScheduleAction.Keep, [], "It is as declared.");
    }
}

/// <summary>What happens to one schedule, and why.</summary>
/// <param name="Fields">What becomes another.</param>
public sealed record ScheduleChange(string Id, ScheduleAction Action, IReadOnlyList<ScheduleFieldChange> Fields, string Reason)
{
    /// <summary>Whether Temporal has something else afterwards.</summary>
    public bool Changes => Action is ScheduleAction.Create or ScheduleAction.Update or ScheduleAction.Remove;
}

public enum ScheduleAction
{
    Create,

    /// <summary>Whether it is paused stays as it is.</summary>
    Update,

    /// <summary>It is as declared.</summary>
    Keep,

    Remove,

    /// <summary>It would be removed, if that were asked for.</summary>
    Leave,

    /// <summary>Nothing at all is done before somebody has made room.</summary>
    Refuse,
}
