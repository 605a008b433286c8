namespace PlatformOps.Adapters.Vault;

/// <summary>Which Vault, and for what.</summary>
/// <param name="Domain">The privilege domain that this connection is for, such as <c>rotation</c> or <c>provisioning</c>: stands in messages.</param>
/// <param name="Address">Of its API, <c>https://host:8200</c>.</param>
public sealed record VaultOptions(string Domain, Uri Address)
{
    /// <summary>A PEM file with whom to trust; null: the system's authorities.</summary>
    public string? CertificateAuthorityFile { get; init; }

    /// <summary>Sent as <c>X-Vault-Namespace</c>; null: not sent.</summary>
    public string? Namespace { get; init; }

    /// <summary>How long a call may take. Default 10 seconds; 100 ms to 1 minute.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock of token renewal.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
