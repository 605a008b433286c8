namespace PlatformOps.Platform.Backups;

/// <summary>What becomes of a set, and why.</summary>
/// <param name="Action">What is done with it now.</param>
/// <param name="Why">One sentence for the operator.</param>
public sealed record RetentionVerdict(string Set, RetentionAction Action, string Why);

public enum RetentionAction
{
    /// <summary>It stays.</summary>
    Keep,

    /// <summary>It was marked, and there is a reason again to keep it.</summary>
    Unmark,

    /// <summary>It is to go: from now on its grace runs.</summary>
    Mark,

    /// <summary>It is marked, and does not go yet.</summary>
    Wait,

    /// <summary>It goes now.</summary>
    Sweep,
}

/// <summary>Which sets of one store go, and why each other one stays.</summary>
/// <remarks>
/// Invariants: swept are never the last proved set, one on hold, one that is read, one that another set needs which is not swept before it, the sets from which the
/// retention can be restored, the newest good ones up to the minimum, and one that nobody marked a grace ago. When nothing is proved, the last good set has the place of the last proved one.
/// </remarks>
public static class RetentionPolicy
{
    /// <summary>The verdict about each set, the oldest first. Those that are swept are in the order in which they may be: what depends on another one before it.</summary>
    public static IReadOnlyList<RetentionVerdict> Decide(IReadOnlyList<BackupSet> sets, BackupDefinition definition, DateTimeOffset now)
    {
        var ordered = sets.OrderBy(set => set.StartedAt).ThenBy(set => set.Id, StringComparer.Ordinal).ToList();
        var kept = ordered.Select(set => (set.Id, Why: WhyKept(set, ordered, definition, now))).Where(set => set.Why is not null).ToDictionary(set => set.Id, set => set.Why!);
        KeepNeeded(ordered, kept);
        // From the newest on: whether a set may be swept depends on those that need it, and they are younger.
        var verdicts = new Dictionary<string, RetentionVerdict>();
        foreach (var set in Enumerable.Reverse(ordered))
            verdicts[set.Id] = Verdict(set, ordered, kept, verdicts, definition, now);
        return [
            .. ordered.Select(set => verdicts[set.Id]).Where(verdict => verdict.Action != RetentionAction.Sweep),
            .. Enumerable.Reverse(ordered).Select(set => verdicts[set.Id]).Where(verdict => verdict.Action == RetentionAction.Sweep)];
    }

    private static RetentionVerdict Verdict(
        BackupSet set, List<BackupSet> all, Dictionary<string, string> kept, Dictionary<string, RetentionVerdict> decided, BackupDefinition definition, DateTimeOffset now)
    {
        if (kept.TryGetValue(set.Id, out var why))
            return new(set.Id, set.MarkedAt is null ? RetentionAction.Keep : RetentionAction.Unmark, why);
        var because = WhyGoes(set, definition);
        if (set.MarkedAt is not { } marked)
            return new(set.Id, RetentionAction.Mark, $"{because} It goes in {Yaml.Units.Format(definition.Grace)}, unless somebody holds it.");
        if (now - marked < definition.Grace)
            return new(set.Id, RetentionAction.Wait, $"{because} It goes at {marked + definition.Grace:u}, unless somebody holds it.");
        // Read from the set itself: a clock or an entry that is wrong may have put the one that needs it before it.
        if (all.Find(other => other.DependsOn.Contains(set.Id) && decided.GetValueOrDefault(other.Id)?.Action != RetentionAction.Sweep) is { } needs)
            return new(set.Id, RetentionAction.Wait, $"{because} {needs.Id} needs it and does not go yet.");
        return new(set.Id, RetentionAction.Sweep, because);
    }

    /// <summary>Null: there is no reason in the set itself.</summary>
    private static string? WhyKept(BackupSet set, List<BackupSet> all, BackupDefinition definition, DateTimeOffset now)
    {
        // Half of it may be gone already.
        if (set.Sweeping)
            return null;
        if (set.Outcome == BackupOutcome.Running)
            return "It is being made.";
        if (set.Hold is { } hold && hold.Holds(now))
            return $"{hold.By} holds it{(hold.Until is { } until ? $" until {until:u}" : "")}: {hold.Why}";
        if (set.Uses.FirstOrDefault(use => use.Until > now) is { } use)
            return $"{use.By} reads it.";
        if (set.Locations.Max(location => location.LockedUntil) is { } locked && locked > now)
            return $"It is locked in the repository until {locked:u}.";
        if (set.StartedAt > now)
            return $"It was begun at {set.StartedAt:u}, which is not yet: a clock is wrong. Correct the clock before anything goes.";
        if (!set.Good)
            return all.Exists(other => other.Good && other.StartedAt > set.StartedAt) ? null : "It is of little use, but nothing good came after it.";
        var good = all.Where(other => other.Good).ToList();
        if (all.FindLast(other => other.Proved) == set)
            return "It is the last one that was proved.";
        if (!all.Exists(other => other.Proved) && good[^1] == set)
            return "It is the last good one, and none was ever proved.";
        if (good.Count - good.IndexOf(set) <= definition.MinimumSets)
            return $"It is one of the newest {definition.MinimumSets} good ones.";
        var begin = now - definition.Retention;
        if (At(set) > begin)
            return $"It is younger than {Yaml.Units.Format(definition.Retention)}.";
        // Without the last set before it, the beginning of the retention could not be restored.
        return good.FindLast(other => At(other) <= begin) == set ? $"It is the one from which {begin:u}, the beginning of the retention, can be restored." : null;
    }

    /// <summary>What a kept set needs is kept too, and what that needs.</summary>
    private static void KeepNeeded(List<BackupSet> all, Dictionary<string, string> kept)
    {
        for (var added = true; added;)
        {
            added = false;
            foreach (var set in all.Where(set => kept.ContainsKey(set.Id)).ToList())
            {
                foreach (var needed in set.DependsOn.Where(needed => all.Exists(other => other.Id == needed)))
                    added |= kept.TryAdd(needed, $"{set.Id}, which stays, needs it.");
            }
        }
    }

    private static string WhyGoes(BackupSet set, BackupDefinition definition) => set switch
    {
        { Sweeping: true } => "Its removal was begun.",
        { Outcome: BackupOutcome.Failed } => "It failed, and a good one came after it.",
        { Outcome: BackupOutcome.Partial } => "It is not whole, and a good one came after it.",
        { Proof: { Proved: false } proof } => $"{proof.Operation} found it damaged, and a good one came after it.",
        _ => $"It is older than {Yaml.Units.Format(definition.Retention)}.",
    };

    private static DateTimeOffset At(BackupSet set) => set.Range?.From ?? set.FinishedAt ?? set.StartedAt;
}
