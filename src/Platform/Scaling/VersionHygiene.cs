namespace PlatformOps.Platform.Scaling;

/// <param name="Goes">Whether it is to be deleted.</param>
/// <param name="Why">A phrase.</param>
public sealed record VersionFate(string BuildId, bool Goes, string Why);

/// <summary>Decides which versions of a worker deployment are forgotten. Temporal keeps 100 of a deployment by default and refuses new ones beyond that
/// (<c>matching.maxVersionsInDeployment</c>), unless it can delete a drained one that nobody polls for.</summary>
public static class VersionHygiene
{
    /// <param name="keep">How many drained ones stay, the newest first: those that one may want to return to.</param>
    /// <returns>All versions, the newest first.</returns>
    public static IReadOnlyList<VersionFate> Decide(IReadOnlyList<ObservedVersion> versions, int keep)
    {
        var drained = versions.Where(version => version.Standing == VersionStanding.Drained).OrderByDescending(version => version.CreatedAt).ThenBy(version => version.BuildId, StringComparer.Ordinal).Skip(keep).ToHashSet();
        return [.. versions.OrderByDescending(version => version.CreatedAt).ThenBy(version => version.BuildId, StringComparer.Ordinal).Select(version => drained.Contains(version)
            ? new VersionFate(version.BuildId, true, $"no open run is pinned to it, and {keep} newer drained ones stay")
            : new VersionFate(version.BuildId, false, version.Standing switch
            {
                VersionStanding.Current => "it gets the new runs",
                VersionStanding.Ramping => "it gets a part of the new runs",
                VersionStanding.Draining => "open runs are pinned to it",
                VersionStanding.Drained => $"it is among the {keep} newest that are drained",
                _ => "it never got work: somebody may be about to roll it out",
            }))];
    }
}
