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

    /// <summary>Where the bucket is copied to, in another region: each backup compares them. Null: nowhere.</summary>
    public BackupCopyAccess? Copy { get; init; }

    /// <summary>Key of KMS in the second region that copies of snapshots of a managed database are encrypted with there. Default: that of RDS, <c>alias/aws/rds</c>.</summary>
    public string? DatabaseKey { get; init; }

    /// <summary>Whether nobody can delete what is written for a while, in both buckets: each backup tries it. Default false.</summary>
    public bool Locked { get; init; }

    /// <summary>Files with keys for what would not be encrypted otherwise, 32 bytes in base64 each: the first encrypts, all decrypt. Read by each activity.</summary>
    public IReadOnlyList<string> KeyFiles { get; init; } = [];

    /// <summary>Where sets of cluster state are proved: an API server without nodes that is used for nothing else; null: nowhere.</summary>
    public QuarantineClusterAccess? Quarantine { get; init; }

    /// <summary>Where snapshots of Vault are proved: a Vault that is used for nothing else and reaches nothing; null: nowhere.</summary>
    public QuarantineVaultAccess? QuarantineVault { get; init; }

    /// <summary>Which of the S3 clients of Elasticsearch's nodes reaches the bucket: its address and credentials are their settings. Default: <c>default</c>.</summary>
    public string SearchClient { get; init; } = "default";

    /// <summary>Where snapshots of Elasticsearch are proved: a cluster that reads the same bucket; null: in the one that they are of, in hidden indices.</summary>
    public ExternalAccess? QuarantineSearch { get; init; }

    /// <summary>What is wrong with it, each with its field.</summary>
    /// <param name="path">Where it stands in the connections file, for example <c>backups.production</c>.</param>
    public IEnumerable<string> Problems(string path)
    {
        if (Bucket.Length == 0)
            yield return $"{path}.bucket is missing: name the bucket of the backup catalog.";
        if (Prefix is { } prefix && (prefix.Length == 0 || prefix.StartsWith('/') || prefix.EndsWith('/')))
            yield return $"{path}.prefix is '{prefix}': a path without slashes at its ends is expected, or leave it out.";
        if (Copy is { } copy && (copy.Bucket.Length == 0 || copy.Bucket == Bucket))
            yield return $"{path}.copy.bucket is '{copy.Bucket}': name the bucket in another region into which S3 copies {Bucket}.";
        if (Quarantine is { Kubeconfig: "" })
            yield return $"{path}.quarantine.kubeconfig is missing: name the kubeconfig of an API server that is used for nothing else.";
        if (QuarantineVault is { } vault && !(Uri.TryCreate(vault.Address, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"))
            yield return $"{path}.quarantineVault.address is '{vault.Address}': http://host:port or https://host:port is expected.";
        if (QuarantineVault is { TokenFile: "" })
            yield return $"{path}.quarantineVault.tokenFile is missing: name a file with a token of the quarantine as it is when it is new.";
        if (SearchClient.Length == 0)
            yield return $"{path}.searchClient is empty: name an S3 client of Elasticsearch's nodes, or leave it out.";
        if (QuarantineSearch is { } search && !(Uri.TryCreate(search.Address, UriKind.Absolute, out var there) && there.Scheme is "http" or "https"))
            yield return $"{path}.quarantineSearch.address is '{search.Address}': http://host:port or https://host:port is expected.";
    }

    internal BackupAccess RelativeTo(string folder) => this with
    {
        Aws = Aws?.RelativeTo(folder),
        Copy = Copy is null ? null : Copy with { Aws = Copy.Aws?.RelativeTo(folder) },
        KeyFiles = [.. KeyFiles.Select(file => Path.Combine(folder, file))],
        Quarantine = Quarantine?.RelativeTo(folder),
        QuarantineVault = QuarantineVault?.RelativeTo(folder),
        QuarantineSearch = QuarantineSearch?.RelativeTo(folder),
    };
}

/// <summary>A bucket that another one is copied into.</summary>
/// <param name="Aws">How its region is reached; null: as that of the other one, in the same region.</param>
public sealed record BackupCopyAccess(string Bucket = "", AwsSettings? Aws = null);
