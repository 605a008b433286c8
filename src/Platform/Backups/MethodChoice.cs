namespace PlatformOps.Platform.Backups;

/// <summary>What kind of set is made.</summary>
/// <param name="Why">One sentence.</param>
public sealed record MethodChoice(BackupMethod Method, string Why)
{
    /// <param name="asked">Null: what the schedules say.</param>
    public static MethodChoice Of(IReadOnlyList<BackupSet> sets, BackupDefinition definition, BackupMethod? asked, DateTimeOffset now)
    {
        var last = sets.Where(set => set is { Good: true, Method: BackupMethod.Full, MarkedAt: null }).Select(set => (DateTimeOffset?)set.StartedAt).Max();
        if (asked == BackupMethod.Full)
            return new(BackupMethod.Full, "It was asked for.");
        if (last is not { } full)
            return new(BackupMethod.Full, "There is no good full set that another one could stand on.");
        if (asked is { } other)
            return new(other, $"It stands on the full one of {full:u}.");
        var every = definition.Schedules.Where(schedule => schedule.Method == BackupMethod.Full).Min(schedule => schedule.Every);
        if (now - full >= every)
            return new(BackupMethod.Full, $"The last full one is of {full:u}: older than {Yaml.Units.Format(every)}.");
        var often = definition.Schedules.MinBy(schedule => schedule.Every)!.Method;
        return new(often, often == BackupMethod.Full ? "The store has only full ones." : $"It stands on the full one of {full:u}.");
    }
}
