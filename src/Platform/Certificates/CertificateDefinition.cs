namespace PlatformOps.Platform.Certificates;

/// <summary>A leaf certificate that is rotated, as the catalog declares it.</summary>
/// <param name="Name">What operators call it; unique in the catalog.</param>
/// <param name="Authority">Who signs it: the name of a <see cref="AuthorityDefinition"/>.</param>
/// <param name="Role">The role of the authority's engine in Vault by which it is signed.</param>
/// <param name="Secret">The Kubernetes Secret (<c>tls.crt</c>, <c>tls.key</c>, <c>ca.crt</c>) from which the consumers have it.</param>
/// <param name="Namespace">Where that Secret is, and where its consumers are.</param>
/// <param name="DnsNames">What it is valid for; the first is the one that handshakes ask for.</param>
/// <param name="Lifetime">How long a new one is valid.</param>
/// <param name="RenewAt">Percent of the lifetime after which it is due, 10..90.</param>
/// <param name="Mutual">Whether the pods want to see a certificate of who asks: then they can be asked whom they trust.</param>
/// <param name="Port">Where every pod of the consumers speaks TLS with it; null: nowhere, as with certificates of clients, and a restart has to do as proof.</param>
/// <param name="Settle">How long the proof that every pod serves the new one has to hold before the old one is revoked.</param>
/// <param name="Reloads">Consumers that take up a changed Secret by themselves, as <c>Kind/name</c>; all others are restarted.</param>
/// <param name="Clients">Consumers that serve nothing with it, as <c>Kind/name</c>: that they were restarted, or reload, has to do as proof.</param>
public sealed record CertificateDefinition(
    string Name,
    string Authority,
    string Role,
    string Secret,
    string Namespace,
    IReadOnlyList<string> DnsNames,
    TimeSpan Lifetime,
    int RenewAt,
    int? Port,
    bool Mutual,
    TimeSpan Settle,
    IReadOnlyList<string> Reloads,
    IReadOnlyList<string> Clients)
{
    /// <summary>Consumers that read the Secret through the API, as <c>Kind/name</c>, and so take up a changed one by themselves: no pod of theirs has it as files. Of several the ones that the cluster has.</summary>
    public IReadOnlyList<string> ReadBy { get; init; } = [];

    /// <summary>Keystores that stand beside the PEM in the Secret; null: none.</summary>
    public KeystoreDefinition? Keystores { get; init; }

    /// <summary>The name that handshakes ask for.</summary>
    public string ServerName => DnsNames[0].Replace("*", "any", StringComparison.Ordinal);
}
