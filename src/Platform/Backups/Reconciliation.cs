namespace PlatformOps.Platform.Backups;

/// <summary>A set as it was found in a repository.</summary>
/// <param name="Label">What the store's own tool calls it.</param>
/// <param name="ManifestDigest">Null: its manifest is missing or cannot be read.</param>
/// <param name="At">When it was made, as the repository says.</param>
public sealed record RepositorySet(string Label, string? ManifestDigest, long Bytes, DateTimeOffset At);

/// <summary>Something about which the backup catalog and the repository do not agree.</summary>
/// <param name="Name">The set's id, or its label where the catalog has none.</param>
/// <param name="Why">One sentence that says what to do.</param>
/// <param name="FirstSeenAt">Since when it is known.</param>
/// <param name="MayGoAt">From when on it may be removed; null: removing is no remedy.</param>
public sealed record ReconciliationFinding(ReconciliationKind Kind, string Name, string Why, DateTimeOffset FirstSeenAt, DateTimeOffset? MayGoAt);

public enum ReconciliationKind
{
    /// <summary>The repository has it, the catalog does not.</summary>
    NotInCatalog,

    /// <summary>The catalog has it, the repository does not.</summary>
    NotInRepository,

    /// <summary>Both have it, and what lies there is not what was written.</summary>
    Altered,

    /// <summary>It is said to be in the making, and nobody makes it.</summary>
    Abandoned,
}

/// <summary>Compares the backup catalog with what lies in the repository, both ways. Nothing is removed on the first sight of a disagreement: lists may lag, and entries may be on their way.</summary>
public static class Reconciliation
{
    /// <param name="running">The operations that make sets now; null: not known, then nothing counts as abandoned.</param>
    /// <param name="known">What the last comparison found.</param>
    public static IReadOnlyList<ReconciliationFinding> Compare(
        IReadOnlyList<BackupSet> catalog, IReadOnlyList<RepositorySet> repository, IReadOnlySet<string>? running, IReadOnlyList<ReconciliationFinding> known, TimeSpan grace, DateTimeOffset now)
    {
        var lying = repository.ToDictionary(set => set.Label);
        var entered = catalog.Where(set => set.Label is not null).Select(set => set.Label!).ToHashSet();
        var findings = new List<ReconciliationFinding>();
        foreach (var set in catalog.OrderBy(set => set.Id, StringComparer.Ordinal))
        {
            if (set.Outcome == BackupOutcome.Running && running?.Contains(set.Id) == false)
                Add(ReconciliationKind.Abandoned, set.Id, "It was begun and nobody makes it any more: it is closed as failed.", goes: true);
            else if (set.Outcome == BackupOutcome.Complete && (set.Label is null || !lying.ContainsKey(set.Label)))
                Add(ReconciliationKind.NotInRepository, set.Id, "The catalog has it and the repository does not: it counts as damaged. Find out who removed it, and make a new full backup.", goes: false);
            else if (set.Outcome == BackupOutcome.Complete && lying[set.Label!] is { ManifestDigest: null })
                Add(ReconciliationKind.Altered, set.Id, "Its manifest is missing or cannot be read: it counts as damaged. Make a new full backup.", goes: false);
            else if (set.Outcome == BackupOutcome.Complete && set.Manifest is { } manifest && lying[set.Label!].ManifestDigest != manifest.Digest)
                Add(ReconciliationKind.Altered, set.Id, "Its manifest is not the one that was written: it counts as damaged. Make a new full backup.", goes: false);
        }

        // What is being made has no label in the catalog yet.
        var making = catalog.Any(set => set.Outcome == BackupOutcome.Running && running?.Contains(set.Id) != false);
        foreach (var set in repository.Where(set => !entered.Contains(set.Label) && !making).OrderBy(set => set.Label, StringComparer.Ordinal))
            Add(ReconciliationKind.NotInCatalog, set.Label, $"The repository has it since {set.At:u} and the catalog does not: somebody made it by hand, or its entry was lost. Take it into the catalog, or remove it.", goes: true);
        return findings;

        void Add(ReconciliationKind kind, string name, string why, bool goes)
        {
            var first = known.FirstOrDefault(finding => (finding.Kind, finding.Name) == (kind, name))?.FirstSeenAt ?? now;
            findings.Add(new(kind, name, why, first, goes ? first + grace : null));
        }
    }
}
