using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Custom;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Certificates;

/// <summary>
/// cert-manager's Certificate: keeps a TLS Secret with a certificate as it is wanted, signed by its issuer, renewed in time and when asked (condition
/// <c>Issuing</c>). Issuers that sign elsewhere (ACME, Vault) are played by an authority of the sandbox.
/// </summary>
internal sealed class CertificateController : CustomController
{
    private const string AuthoritySpace = "kube-system";
    private const string AuthorityName = "sandbox-certificate-authority";

    public CertificateController(Cluster cluster, BehaviourOptions options) : base(cluster, options, CertManager.Group, "Certificate")
    {
        On(Resources.Secrets, change => All()
            .Where(certificate => certificate.Namespace == change.Latest.Namespace && certificate.Spec.Text("secretName") == change.Latest.Name)
            .Select(certificate => certificate.Key));
        foreach (var kind in (string[])["Issuer", "ClusterIssuer"])
            OnCustom(CertManager.Group, kind, change => All()
                .Where(certificate => certificate.Spec.At("issuerRef").Text("name") == change.Latest.Name).Select(certificate => certificate.Key));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Find(key) is not { Deleting: false } certificate)
            return;
        var secret = Cluster.Of(Resources.Secrets).Find(key.Namespace, certificate.Spec.Text("secretName") ?? "");
        using var current = secret is null ? null : IssuedCertificate.Read(secret);
        if (WhyIssue(certificate, secret, current) is not { } reason)
        {
            if (TemplateLabels(certificate).Any(label => secret!.Labels.Text(label.Key) != (string?)label.Value))
                await EnsureAsync(Resources.Secrets, key.Namespace, Secret(certificate, secret!.Body.Fields("data")!.Copy()), ct);
            await UpToDateAsync(certificate, current!, certificate.Status.Number("revision") ?? 1, ct);
            return;
        }
        certificate = await WriteStatusAsync(certificate, Issuing(certificate, current, reason), ct);
        var since = certificate.Status.Item("conditions", "type", "Issuing").Time("lastTransitionTime") ?? DateTimeOffset.MinValue;
        // An issuer that is not ready wakes us when it is.
        if (Issuer(certificate) is not { } issuer || !Conditions.IsTrue(issuer.Status, "Ready") || !IsDue(certificate, since))
            return;
        using var authority = await AuthorityAsync(issuer, ct);
        await EnsureAsync(Resources.Secrets, key.Namespace, Secret(certificate, IssuedCertificate.Make(certificate.Spec, authority, Now)), ct);
        using var made = IssuedCertificate.Read(Cluster.Of(Resources.Secrets).Find(key.Namespace, certificate.Spec.Text("secretName")!)!);
        await UpToDateAsync(certificate, made!, (certificate.Status.Number("revision") ?? 0) + 1, ct);
    }

    private ClusterObject? Issuer(ClusterObject certificate) => certificate.Spec.At("issuerRef") is { } reference
        ? Find(CertManager.Group, reference.Text("kind") ?? "Issuer", certificate.Namespace, reference.Text("name") ?? "")
        : null;

    private Condition? WhyIssue(ClusterObject certificate, ClusterObject? secret, X509Certificate2? current)
    {
        if (secret is null)
            return Because("DoesNotExist", "Issuing certificate as Secret does not exist");
        if (current is null)
            return Because("MissingData", "Issuing certificate as Secret does not contain a certificate");
        if (secret.Annotations.Text("cert-manager.io/issuer-name") != certificate.Spec.At("issuerRef").Text("name"))
            return Because("IncorrectIssuer", $"Issuing certificate as Secret was previously issued by \"{secret.Annotations.Text("cert-manager.io/issuer-name")}\"");
        if (IssuedCertificate.Differences(certificate.Spec, current) is { Count: > 0 } fields)
            return Because("SecretMismatch", $"Issuing certificate as Existing issued Secret is not up to date for spec: [{string.Join(' ', fields)}]");
        if (RenewalTime(certificate, current) is var renewal && renewal <= Now)
            return Because("Renewing", $"Renewing certificate as renewal was scheduled at {renewal.Stamp()}");
        return certificate.Status.Item("conditions", "type", "Issuing") is { } asked && asked.Text("status") == "True"
            ? Because(asked.Text("reason") ?? "ManuallyTriggered", asked.Text("message") ?? "Certificate re-issuance manually triggered")
            : null;
    }

    private static Condition Because(string reason, string message) => new("Issuing", true, reason, message);

    private static DateTimeOffset RenewalTime(ClusterObject certificate, X509Certificate2 current)
    {
        var (start, end) = (Utc(current.NotBefore), Utc(current.NotAfter));
        var before = GoDuration.Read(certificate.Spec.Text("renewBefore"));
        if (certificate.Spec.Number("renewBeforePercentage") is { } percentage)
            before = (end - start) * percentage / 100;
        // What would renew without end counts as not said, as with cert-manager.
        return end - (before is { } wanted && wanted < end - start ? wanted : (end - start) / 3);
    }

    private static DateTimeOffset Utc(DateTime time) => new(time.ToUniversalTime());

    private JsonObject Issuing(ClusterObject certificate, X509Certificate2? current, Condition reason)
    {
        List<Condition> conditions = [reason];
        if (current is null || current.NotAfter <= Now)
            conditions.Add(reason with { Type = "Ready", True = false });
        return new() { ["conditions"] = Conditions.Set(certificate.Status, Now, conditions) };
    }

    private async Task UpToDateAsync(ClusterObject certificate, X509Certificate2 current, int revision, CancellationToken ct)
    {
        var renewal = RenewalTime(certificate, current);
        var conditions = Conditions.Set(certificate.Status, Now, [new("Ready", true, "Ready", "Certificate is up to date and has not expired")]);
        await WriteStatusAsync(certificate, new JsonObject
        {
            ["conditions"] = conditions.OfType<JsonNode>().Where(condition => condition.Text("type") != "Issuing").ToJson(),
            ["notBefore"] = Utc(current.NotBefore).Stamp(),
            ["notAfter"] = Utc(current.NotAfter).Stamp(),
            ["renewalTime"] = renewal.Stamp(),
            ["revision"] = revision,
        }, ct);
        // Timers end at 49 days; an earlier look does no harm.
        var left = renewal - Now;
        LookAgain(certificate.Key, left < TimeSpan.FromDays(1) ? left : TimeSpan.FromDays(1));
    }

    private async Task<X509Certificate2?> AuthorityAsync(ClusterObject issuer, CancellationToken ct)
    {
        if (issuer.Spec.At("selfSigned") is not null)
            return null;
        var secrets = Cluster.Of(Resources.Secrets);
        var secret = issuer.Spec.At("ca").Text("secretName") is { } name
            ? secrets.Find(CertManager.SpaceOf(Cluster, issuer), name)
            : secrets.Find(AuthoritySpace, AuthorityName) ?? await Cluster.CreateAsync(Resources.Secrets, AuthoritySpace, SandboxAuthority(), ct);
        return (secret is null ? null : IssuedCertificate.ReadWithKey(secret))
            ?? throw new InvalidOperationException($"{issuer} says that it is ready, but its Secret has no certificate with a key.");
    }

    private JsonObject SandboxAuthority() => new()
    {
        ["metadata"] = new JsonObject { ["name"] = AuthorityName },
        ["type"] = "kubernetes.io/tls",
        ["data"] = IssuedCertificate.Make(new JsonObject
        {
            ["commonName"] = "Sandbox certificate authority",
            ["isCA"] = true,
            ["duration"] = "87600h",
            ["privateKey"] = new JsonObject { ["algorithm"] = "ECDSA" },
        }, null, Now),
    };

    private static JsonObject TemplateLabels(ClusterObject certificate) => certificate.Spec.At("secretTemplate").Fields("labels")?.Copy() ?? [];

    private static JsonObject Secret(ClusterObject certificate, JsonObject data)
    {
        var (spec, issuer) = (certificate.Spec, certificate.Spec.At("issuerRef"));
        var labels = TemplateLabels(certificate);
        labels["controller.cert-manager.io/fao"] = "true";
        var annotations = spec.At("secretTemplate").Fields("annotations")?.Copy() ?? [];
        annotations["cert-manager.io/certificate-name"] = certificate.Name;
        annotations["cert-manager.io/common-name"] = spec.Text("commonName") ?? "";
        annotations["cert-manager.io/alt-names"] = string.Join(',', IssuedCertificate.Texts(spec, "dnsNames"));
        annotations["cert-manager.io/ip-sans"] = string.Join(',', IssuedCertificate.Texts(spec, "ipAddresses"));
        annotations["cert-manager.io/issuer-name"] = issuer.Text("name");
        annotations["cert-manager.io/issuer-kind"] = issuer.Text("kind") ?? "Issuer";
        annotations["cert-manager.io/issuer-group"] = issuer.Text("group") ?? CertManager.Group;
        return new()
        {
            ["metadata"] = new JsonObject { ["name"] = spec.Text("secretName"), ["labels"] = labels, ["annotations"] = annotations },
            ["type"] = "kubernetes.io/tls",
            ["data"] = data,
        };
    }
}
