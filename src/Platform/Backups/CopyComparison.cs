using System.Globalization;

namespace PlatformOps.Platform.Backups;

/// <summary>An object of a bucket, as a list has it.</summary>
/// <param name="Name">Below what is compared.</param>
/// <param name="Tag">S3's checksum of it, which replication keeps.</param>
public sealed record StoredFile(string Name, long Bytes, string Tag, DateTimeOffset Written);

/// <summary>What became of the copy of something.</summary>
/// <param name="Whole">Every object is there with the source's size and checksum.</param>
/// <param name="Wrong">What is not as it has to be; null: nothing, or it is still on its way.</param>
public sealed record CopyFinding(bool Whole, string? Wrong);

/// <summary>Compares what lies in a bucket with its copy in another region. What is only in the copy is no concern: it may be older than what was removed.</summary>
public static class CopyComparison
{
    /// <summary>How long S3 may take to copy an object: with replication time control it promises 99.99 % within 15 minutes (S3 User Guide); without it most objects are as fast.</summary>
    public static readonly TimeSpan OnItsWay = TimeSpan.FromMinutes(15);

    public static CopyFinding Of(IReadOnlyCollection<StoredFile> source, IReadOnlyCollection<StoredFile> copy, DateTimeOffset now)
    {
        var copied = copy.ToDictionary(file => file.Name);
        var off = source.Where(file => !(copied.GetValueOrDefault(file.Name) is { } same && (same.Bytes, same.Tag) == (file.Bytes, file.Tag))).ToList();
        var late = off.Where(file => now - file.Written > OnItsWay).OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
        var (missing, other) = (late.Where(file => !copied.ContainsKey(file.Name)).ToList(), late.Where(file => copied.ContainsKey(file.Name)).ToList());
        return late.Count == 0 ? new(off.Count == 0, null) : new(false, string.Join(" and ", new[] { Words(missing, source.Count, "are missing"), Words(other, source.Count, "are not what was written") }.OfType<string>()));
    }

    private static string? Words(List<StoredFile> files, int of, string what) => files.Count == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{files.Count} of {of} objects {what}, the first is {files[0].Name}");
}
