namespace PlatformOps.Sandbox.Vault;

/// <summary>How a stand-in for Vault runs.</summary>
public sealed record SandboxVaultOptions
{
    /// <summary>Where everything is kept, encrypted, with the key in a file beside it; null keeps it in memory. Default null.</summary>
    public string? DataFile { get; init; }

    /// <summary>Whether to speak TLS, with <see cref="SandboxVault.CertificateAuthority"/>. Default false.</summary>
    public bool Tls { get; init; }

    /// <summary>Decides which calls faults hit. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The clock of tokens, leases, rotations and certificates.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Who a service account's token belongs to: the token review of a Kubernetes cluster. Without it nobody can log in that way.</summary>
    public Func<string, CancellationToken, Task<SandboxServiceAccount?>>? ReviewToken { get; init; }

    /// <summary>Carries out the statements of the database engine. Without it they are recorded only: <see cref="SandboxVault.Statements"/>.</summary>
    public Func<SandboxDatabaseCall, CancellationToken, Task>? Database { get; init; }
}

/// <summary>A service account as a token review names it.</summary>
public sealed record SandboxServiceAccount(string Namespace, string Name);

/// <summary>What the database engine wants done in a database. An exception of the one who does it reaches Vault's caller as a refusal.</summary>
/// <param name="ConnectionUrl">As configured, with user name and password filled in.</param>
/// <param name="Statements">In order; none only checks that the connection works.</param>
public sealed record SandboxDatabaseCall(string ConnectionUrl, string Username, string Password, IReadOnlyList<string> Statements)
{
    /// <summary>Without the password, which also stands in the address and the statements.</summary>
    public override string ToString() => $"{Statements.Count} statements as {Username}";
}

/// <summary>A call that was made, for tests: who did what, and how it was answered. Neither bodies nor tokens are kept.</summary>
/// <param name="Operation">As in policies: read, list, create, update, delete.</param>
/// <param name="Path">Without <c>/v1/</c>.</param>
/// <param name="Namespace">Of the header <c>X-Vault-Namespace</c>.</param>
/// <param name="Accessor">Of the token; null without a valid one.</param>
public sealed record SandboxVaultCall(DateTimeOffset At, string Operation, string Path, int Status, string? Namespace, string? Accessor);

/// <summary>What a Vault server is at the moment.</summary>
public enum SandboxVaultState
{
    /// <summary>Unsealed, and answers everything.</summary>
    Active,

    /// <summary>Unsealed, but another node is active and out of reach.</summary>
    Standby,

    /// <summary>An unsealed performance standby: its health differs, reads are answered, writes are not.</summary>
    PerformanceStandby,

    /// <summary>A secondary for disaster recovery: answers its health only.</summary>
    DisasterRecoverySecondary,

    /// <summary>Sealed: answers its health and takes keys to unseal.</summary>
    Sealed,
}
