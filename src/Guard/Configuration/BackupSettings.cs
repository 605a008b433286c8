using System.Globalization;

namespace PlatformOps.Guard.Configuration;

/// <summary>Where pgBackRest keeps the node's backups and log. Both nodes of a pair have the same.</summary>
public sealed record BackupSettings
{
    /// <summary>pgBackRest's program. Default <c>/usr/bin/pgbackrest</c>.</summary>
    public string Program { get; init; } = "/usr/bin/pgbackrest";

    /// <summary>What pgBackRest calls the pair. Default <c>main</c>.</summary>
    public string Stanza { get; init; } = "main";

    public RepositorySettings Repository { get; init; } = new();

    /// <summary>After so many seconds a piece of the log that something stands in is archived, full or not: half of what may be lost. Default 30.</summary>
    public int ArchiveTimeoutSeconds { get; init; } = 30;

    /// <summary>How often a row is written that restores are measured by. Default 5.</summary>
    public int MarkerSeconds { get; init; } = 5;

    /// <summary>How many processes copy at once. Default 2.</summary>
    public int Processes { get; init; } = 2;

    /// <summary>For how long pgBackRest tries again when the object store does not answer. Default 60.</summary>
    public int StoreTimeoutSeconds { get; init; } = 60;

    /// <summary>A Temporal server that verifications start on copies that hold Temporal's databases; null: their tables are read, and none is started.</summary>
    public TemporalSettings? Temporal { get; init; }

    internal BackupSettings RelativeTo(Func<string, string> at) => this with
    {
        Temporal = Temporal?.RelativeTo(at),
        Repository = Repository with
        {
            CredentialsFile = at(Repository.CredentialsFile),
            CipherPassFile = at(Repository.CipherPassFile),
            Authority = Repository.Authority is { } authority ? at(authority) : null,
        },
    };

    internal IEnumerable<string> Problems()
    {
        if (!File.Exists(Program))
            yield return $"backup.program is '{Program}': there is no such file. Install pgBackRest (Debian: apt-get install pgbackrest), or leave backup out.";
        foreach (var problem in Temporal?.Problems() ?? [])
            yield return problem;
        if (Stanza.Length == 0 || !Stanza.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'))
            yield return $"backup.stanza is '{Stanza}': letters, digits, - and _ are expected.";
        foreach (var (field, value) in new[] { ("bucket", Repository.Bucket), ("region", Repository.Region), ("endpoint", Repository.Endpoint) })
        {
            if (value.Length == 0)
                yield return $"backup.repository.{field} is missing.";
        }

        if (!Repository.Path.StartsWith('/'))
            yield return $"backup.repository.path is '{Repository.Path}': a path that begins with / is expected.";
        foreach (var (field, file) in new[] { ("credentialsFile", Repository.CredentialsFile), ("cipherPassFile", Repository.CipherPassFile), ("authority", Repository.Authority) })
        {
            if (file is not null && !File.Exists(file))
                yield return $"backup.repository.{field} is '{file}': there is no such file.";
        }

        foreach (var (field, value, smallest, largest) in new[]
        {
            ("archiveTimeoutSeconds", ArchiveTimeoutSeconds, 1, 3600), ("markerSeconds", MarkerSeconds, 1, 3600), ("processes", Processes, 1, 64), ("storeTimeoutSeconds", StoreTimeoutSeconds, 1, 3600),
        })
        {
            if (value < smallest || value > largest)
                yield return string.Create(CultureInfo.InvariantCulture, $"backup.{field} is {value}: {smallest} to {largest} is expected.");
        }
    }
}

/// <summary>A place in S3, reached over TLS. Everything in it is encrypted before it leaves the node.</summary>
/// <param name="Path">In the bucket. Default <c>/</c>.</param>
/// <param name="Region">AWS's name of the bucket's region: another one than the node's survives its loss.</param>
/// <param name="Endpoint"><c>host</c> or <c>host:port</c>, for example <c>s3.us-west-2.amazonaws.com</c>.</param>
/// <param name="PathStyle">Whether the bucket stands in the path instead of the host's name. Default false.</param>
/// <param name="Authority">PEM file with whom to trust; null: the system's authorities.</param>
/// <param name="CredentialsFile">In the format of <c>~/.aws/credentials</c>, profile <c>default</c>.</param>
/// <param name="CipherPassFile">Holds the pass phrase of the encryption. Without it no backup can be read: keep a copy where the backups are not.</param>
public sealed record RepositorySettings(
    string Bucket = "", string Path = "/", string Region = "", string Endpoint = "", bool PathStyle = false, string? Authority = null, string CredentialsFile = "", string CipherPassFile = "");
