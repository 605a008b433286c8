namespace PlatformOps.Adapters.Backups;

/// <summary>Where the backups of one environment are.</summary>
public sealed record BackupAccess
{
    /// <summary>The bucket in which the backup catalog lies, beside the sets: another region than the one that is backed up is a good place.</summary>
    public string Bucket { get; init; } = "";

    /// <summary>Where in it, without slashes at its ends. Default: the environment's name.</summary>
    public string? Prefix { get; init; }

    /// <summary>How the bucket's region is reached.</summary>
    public AwsSettings? Aws { get; init; }

    /// <summary>What is wrong with it, each with its field.</summary>
    /// <param name="path">Where it stands in the connections file, for example <c>backups.production</c>.</param>
    public IEnumerable<string> Problems(string path)
    {
        if (Bucket.Length == 0)
            yield return $"{path}.bucket is missing: name the bucket of the backup catalog.";
        if (Prefix is { } prefix && (prefix.Length == 0 || prefix.StartsWith('/') || prefix.EndsWith('/')))
            yield return $"{path}.prefix is '{prefix}': a path without slashes at its ends is expected, or leave it out.";
    }

    internal BackupAccess RelativeTo(string folder) => this with { Aws = Aws?.RelativeTo(folder) };
}
