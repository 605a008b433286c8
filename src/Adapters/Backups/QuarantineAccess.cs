namespace PlatformOps.Adapters.Backups;

/// <summary>An API server in which sets of cluster state are proved.</summary>
/// <param name="Kubeconfig">Path.</param>
/// <param name="Context">In it; null: <c>quarantine</c>.</param>
public sealed record QuarantineClusterAccess(string Kubeconfig = "", string? Context = null)
{
    internal QuarantineClusterAccess RelativeTo(string folder) => this with { Kubeconfig = Path.Combine(folder, Kubeconfig) };
}

/// <summary>A Vault in which snapshots are proved.</summary>
/// <param name="Address">With scheme and port.</param>
/// <param name="TokenFile">Holds a token of it as it is when it is new.</param>
/// <param name="CertificateAuthority">A PEM file with whom to trust; null: the system's authorities.</param>
/// <param name="UnsealKeysFile">Holds the unseal keys of the Vault that is backed up, one a line; null: both are unsealed by the same key of a key service.</param>
public sealed record QuarantineVaultAccess(string Address = "", string TokenFile = "", string? CertificateAuthority = null, string? UnsealKeysFile = null)
{
    internal QuarantineVaultAccess RelativeTo(string folder) => this with
    {
        TokenFile = Path.Combine(folder, TokenFile),
        CertificateAuthority = CertificateAuthority is null ? null : Path.Combine(folder, CertificateAuthority),
        UnsealKeysFile = UnsealKeysFile is null ? null : Path.Combine(folder, UnsealKeysFile),
    };
}
