namespace PlatformOps.Platform.Secrets;

/// <summary>A secret that is rotated, as the catalog declares it.</summary>
/// <param name="Name">What operators call it; unique in the catalog.</param>
/// <param name="Path">Where Vault keeps it: a path in a key/value engine of version 2. What is staged stands under <c>{path}/pending</c>.</param>
/// <param name="Secret">The Kubernetes Secret from which the consumers have it.</param>
/// <param name="Namespace">Where that Secret is, and where its consumers are.</param>
/// <param name="UsernameKey">The key of the user name, or of the id that the system gave the credential, in that Secret; null for kinds without one, and where consumers need none.</param>
/// <param name="PasswordKey">The key of the value in that Secret.</param>
/// <param name="Length">How many characters a new value has, 16..128.</param>
/// <param name="Every">How old a value becomes before it is due.</param>
/// <param name="Settle">How long the proof that every consumer uses the new value has to hold before the old one is revoked.</param>
/// <param name="Reloads">Consumers that take up a changed Secret by themselves, as <c>Kind/name</c>, of which nothing but <see cref="ProvedBySnapshots"/> shows that they did; all others are restarted.</param>
public sealed record RotationDefinition(
    string Name,
    RotationKind Kind,
    string Path,
    string Secret,
    string Namespace,
    string? UsernameKey,
    string PasswordKey,
    int Length,
    TimeSpan Every,
    TimeSpan Settle,
    IReadOnlyList<string> Reloads)
{
    /// <summary>Null for kinds that need none.</summary>
    public RotationTarget? Target { get; init; }

    /// <summary>Consumers that read the Secret through the API, as <c>Kind/name</c>: no pod of theirs names it, so that they could not be found. They are restarted like others. Of several the ones that the cluster has.</summary>
    public IReadOnlyList<string> ReadBy { get; init; } = [];

    /// <summary>The servers that it is a credential for, as <c>Kind/name</c>, where they have their first one from the Secret: they are not restarted, and each of their pods has to let the new one in. For users of PostgreSQL, Elasticsearch and Redis.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>Whether the repositories of Elasticsearch's snapshots have to be usable from all of its nodes while the old value is refused and can still be brought back. Only for access keys of IAM, which can be made inactive.</summary>
    public bool ProvedBySnapshots { get; init; }

    /// <summary>Why nobody in the cluster uses it: then a rotation that finds nobody ends all the same. Null or empty: it stops before it begins.</summary>
    public string? NoConsumers { get; init; }

    /// <summary>Paths in Vault that a credential of Vault lets read, each with everything below; empty: everything, as long as nobody says otherwise.</summary>
    public IReadOnlyList<string> Reads { get; init; } = [];

    /// <summary>A condition over the component's parameters for it to be there, as for manifests; null: always.</summary>
    public string? When { get; init; }
}
