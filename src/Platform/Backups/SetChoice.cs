namespace PlatformOps.Platform.Backups;

/// <summary>Which set a restore takes: the one that was asked for, or the newest whole one that brings back the moment.</summary>
public static class SetChoice
{
    /// <param name="sets">Every set of the store, as the backup catalog has it.</param>
    /// <param name="asked">Its id; null: whichever fits.</param>
    /// <param name="target">The moment that is wanted; null: the newest.</param>
    /// <param name="whyNot">What else speaks against a whole set, as a sentence; null: nothing.</param>
    /// <returns>The set with why it is that one; or no set with why not, and what to do.</returns>
    public static (BackupSet? Set, string Why) Of(IReadOnlyList<BackupSet> sets, BackupDefinition definition, string? asked, DateTimeOffset? target, Func<BackupSet, string?> whyNot)
    {
        if (asked is not null)
        {
            var named = sets.FirstOrDefault(set => set.Id == asked);
            var wrong = named is null ? $"The backup catalog has no set {asked}. See platformops backup list." : WhyNot(named);
            return wrong is null ? (named, "It was asked for.") : (null, wrong);
        }

        var good = sets.Where(set => set is { Outcome: BackupOutcome.Complete, MarkedAt: null }).OrderByDescending(set => set.At).ThenByDescending(set => set.Id, StringComparer.Ordinal).ToList();
        if (good.Find(set => WhyNot(set) is null) is { } fits)
            return (fits, target is null ? "It is the newest that can be restored." : $"It is the newest set from before {target:u}{(definition.Continuous ? " that can be followed up to then" : "")}.");
        return (null, good.Count == 0
            ? $"There is no whole set of {definition.Name}."
            : $"No set of {definition.Name} can be restored{(target is { } moment ? $" to {moment:u}" : "")}. {string.Join(" ", good.Take(3).Select(set => $"{set.Id}: {WhyNot(set)}"))}");

        string? WhyNot(BackupSet set) => set switch
        {
            { Outcome: not BackupOutcome.Complete } or { Label: null } => $"{set.Id} is not whole. {set.Reason}".TrimEnd(),
            { Sweeping: true } => $"{set.Id} is being removed.",
            { Proof: { Proved: false } proof } => $"{set.Id} is damaged. {(proof.Findings.Count > 0 ? proof.Findings[0] : "")}".TrimEnd(),
            _ when target < set.At => $"{set.Id} is from after {target:u}: it can bring back {set.At:u}{(definition.Continuous ? " and later" : "")}.",
            _ => whyNot(set),
        };
    }
}
