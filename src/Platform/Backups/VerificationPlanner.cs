namespace PlatformOps.Platform.Backups;

/// <summary>Which set is verified next.</summary>
/// <param name="Set">Null: none is due.</param>
/// <param name="Why">One sentence.</param>
/// <param name="Unproven">The sets of which nobody knows whether they can be restored, the newest first.</param>
public sealed record VerificationChoice(string? Set, string Why, IReadOnlyList<string> Unproven);

/// <summary>Every set is verified, and again when its proof has become old.</summary>
public static class VerificationPlanner
{
    /// <summary>The newest that was never verified: it is what would be restored today. Then the one whose proof is oldest.</summary>
    public static VerificationChoice Choose(IReadOnlyList<BackupSet> sets, BackupDefinition definition, DateTimeOffset now)
    {
        var good = sets.Where(set => set.Good && set.MarkedAt is null).OrderByDescending(set => set.StartedAt).ThenByDescending(set => set.Id, StringComparer.Ordinal).ToList();
        IReadOnlyList<string> unproven = [.. good.Where(set => set.Proof is null || now - set.Proof.At >= definition.VerifyEvery).Select(set => set.Id)];
        if (good.Count == 0)
            return new(null, "There is no whole set that could be verified.", unproven);
        if (good.Find(set => set.Proof is null) is { } never)
            return new(never.Id, "It is the newest that was never verified.", unproven);
        var oldest = good.MinBy(set => set.Proof!.At)!;
        return now - oldest.Proof!.At >= definition.VerifyEvery
            ? new(oldest.Id, $"Its proof is of {oldest.Proof.At:u}: older than {Yaml.Units.Format(definition.VerifyEvery)}.", unproven)
            : new(null, $"Every set was proved in the last {Yaml.Units.Format(definition.VerifyEvery)}.", unproven);
    }
}
