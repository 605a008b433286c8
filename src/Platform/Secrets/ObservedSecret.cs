namespace PlatformOps.Platform.Secrets;

/// <summary>What the system that a credential is for says of it.</summary>
public enum CredentialStanding
{
    /// <summary>It could not be asked. That is neither accepted nor refused.</summary>
    Unknown,

    /// <summary>It lets in whoever shows the credential.</summary>
    Accepted,

    /// <summary>It knows no such credential, or not any more.</summary>
    Refused,
}

/// <summary>One version of a secret, without its value.</summary>
/// <param name="Rotation">The rotation that made it; empty: nobody's of ours.</param>
/// <param name="Login">The user name; null for kinds without one. Not secret.</param>
/// <param name="Version">The number of the version where it is kept.</param>
/// <param name="Standing">What the system says of it; for a <see cref="RotationKind.Value"/> always accepted.</param>
public sealed record StagedCredential(string Rotation, string? Login, int Version, CredentialStanding Standing);

/// <summary>How one consumer stands to the current version.</summary>
public enum ConsumerStanding
{
    /// <summary>It could not be found out.</summary>
    Unknown,

    /// <summary>It runs with an older version, and has not been told of the current one.</summary>
    Old,

    /// <summary>It has been told, and is on its way.</summary>
    Changing,

    /// <summary>It cannot get there as it is.</summary>
    Failed,

    /// <summary>Every pod of it started with the current version, or takes it up by itself.</summary>
    Current,
}

/// <summary>Who uses a secret.</summary>
/// <param name="Name"><c>Kind/name</c> of the workload, or of a pod that belongs to none; <c>namespace/Kind/name</c> where it is in another namespace than the secret (<see cref="ConsumerName"/>).</param>
/// <param name="Declared">Whether it is ours: known to the catalog. Others are not restarted, and stop a rotation before anything is changed.</param>
/// <param name="Detail">How it stands, as a sentence.</param>
public sealed record SecretConsumer(string Name, bool Declared, ConsumerStanding Standing, string Detail)
{
    /// <summary>Whether it is only asked to show that it works with the current version: that breaks nothing, so all such are asked at once, and again when somebody says so.</summary>
    public bool Asked { get; init; }

    /// <summary>Whether it is what the credential is for, and nobody who uses it.</summary>
    public bool Server { get; init; }
}

/// <summary>Sessions that are open with a credential that is to be revoked.</summary>
/// <param name="Login">The user name.</param>
/// <param name="Count">How many there are; null: it could not be found out.</param>
/// <param name="Who">Some of them by name and address, for people.</param>
public sealed record OldSessions(string Login, long? Count, IReadOnlyList<string> Who);

/// <summary>A secret as it was found in the world: in Vault, in the system that it is for, in the cluster.</summary>
/// <param name="Pending">Made, and not handed out yet; null: none.</param>
/// <param name="Current">What consumers are to use; null: Vault has none.</param>
/// <param name="Previous">What they used before; null: none, or its value is destroyed.</param>
/// <param name="Kept">The value in the Kubernetes Secret when Vault has none: what could be adopted; null: none, or Vault has one.</param>
/// <param name="Published">Whether the Kubernetes Secret holds the current version; null: there is no such Secret.</param>
/// <param name="Restorable">Whether the system can be made to accept again what it refuses. What it issued itself it cannot.</param>
/// <param name="Further">Why another version has to follow the current one when that is in use everywhere; null: none has to.</param>
/// <param name="Old">Sessions with the previous login; null: there is none, or the kind has no sessions.</param>
/// <param name="Places">The Kubernetes Secrets whose consumers were looked for, as <c>namespace/name</c>; null: a look of before this was said, which holds nothing up.</param>
/// <param name="NoConsumers">Why nobody uses it, as the catalog says; null: it does not say so.</param>
public sealed record ObservedSecret(
    StagedCredential? Pending,
    StagedCredential? Current,
    StagedCredential? Previous,
    StagedCredential? Kept,
    bool? Published,
    IReadOnlyList<SecretConsumer> Consumers,
    OldSessions? Old,
    DateTimeOffset SeenAt,
    bool Restorable = true,
    string? Further = null,
    IReadOnlyList<string>? Places = null,
    string? NoConsumers = null);
