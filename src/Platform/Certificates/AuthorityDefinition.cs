namespace PlatformOps.Platform.Certificates;

/// <summary>A certificate authority in Vault, as the catalog declares it.</summary>
/// <param name="Name">What operators call it; unique in the catalog.</param>
/// <param name="Mount">Where its engine is mounted in Vault.</param>
/// <param name="PerMinute">How many certificates it may be asked for in any minute.</param>
/// <param name="CommonName">Of a new root.</param>
/// <param name="Lifetime">How long a new root is valid.</param>
/// <param name="Settle">How long the proof that every pod serves certificates of the new root has to hold before the old one is dropped.</param>
/// <param name="Secret">A Kubernetes Secret of its own with whom to trust (<c>ca.crt</c>), for who has no certificate of it; null: there is none.</param>
/// <param name="Namespace">Where that Secret is.</param>
/// <param name="Reloads">Consumers of that Secret that take up a changed one by themselves, as <c>Kind/name</c>; all others are restarted.</param>
/// <param name="Webhooks">Webhook configurations whose <c>caBundle</c> is this authority, as <c>ValidatingWebhookConfiguration/name</c> or <c>MutatingWebhookConfiguration/name</c>.</param>
public sealed record AuthorityDefinition(
    string Name, string Mount, int PerMinute, string CommonName, TimeSpan Lifetime, TimeSpan Settle, string? Secret, string Namespace, IReadOnlyList<string> Reloads, IReadOnlyList<string> Webhooks)
{
    /// <summary>Truststores that stand beside <c>ca.crt</c> in the Secret of its own; null: none.</summary>
    public KeystoreDefinition? Keystores { get; init; }
}
