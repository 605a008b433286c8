using System.Text.Json.Nodes;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>Binds checked items of <c>certificates</c> and <c>certificateAuthorities</c>.</summary>
internal static class CertificateReader
{
    /// <summary>By the words of cert-manager.</summary>
    public static readonly OrderedDictionary<string, KeystoreFormat> KeystoreFormats = new() { ["pkcs12"] = KeystoreFormat.Pkcs12, ["jks"] = KeystoreFormat.Jks };

    public static CertificateDefinition Certificate(JsonObject tree, string space) => new(
        (string)tree["name"]!, (string)tree["authority"]!, (string)tree["role"]!, (string)tree["secret"]!, (string?)tree["namespace"] ?? space, Words(tree["dnsNames"]),
        Duration(tree["lifetime"]), (int)(long)tree["renewAt"]!, tree["port"] is { } port ? (int)(long)port : null, (bool)tree["mutual"]!, Duration(tree["settle"]), Words(tree["reloads"]),
        Words(tree["clients"]))
    {
        ReadBy = Words(tree["readBy"]),
        Keystores = Keystores(tree["keystores"]),
    };

    public static AuthorityDefinition Authority(JsonObject tree, string space) => new(
        (string)tree["name"]!, (string)tree["mount"]!, (int)(long)tree["perMinute"]!, (string?)tree["commonName"] ?? (string)tree["name"]!, Duration(tree["lifetime"]), Duration(tree["settle"]),
        (string?)tree["secret"], (string?)tree["namespace"] ?? space, Words(tree["reloads"]), Words(tree["webhooks"]))
    {
        Keystores = Keystores(tree["keystores"]),
    };

    /// <summary>Rules that look at several components: names are unique, authorities are there, and nobody writes what another one writes.</summary>
    public static void Check(ReadDefinition component, ComponentCatalog catalog)
    {
        var (all, authorities) = (catalog.Components.SelectMany(other => other.Certificates.Select(certificate => (Owner: other.Name, Certificate: certificate))).ToList(),
            catalog.Components.SelectMany(other => other.CertificateAuthorities.Select(authority => (Owner: other.Name, Authority: authority))).ToList());
        foreach (var (certificate, index) in component.Definition.Certificates.Select((certificate, index) => (certificate, index)))
        {
            var path = $"{component.Definition.Name}.certificates[{index}]";
            var others = all.Where(other => !ReferenceEquals(other.Certificate, certificate)).ToList();
            if (others.FirstOrDefault(other => other.Certificate.Name == certificate.Name) is { Owner: { } named })
                component.Reader.Report($"{path}.name", $"{named} has a certificate of that name too; names are unique in the catalog");
            if (others.FirstOrDefault(other => (other.Certificate.Namespace, other.Certificate.Secret) == (certificate.Namespace, certificate.Secret)) is { Owner: { } kept })
                component.Reader.Report($"{path}.secret", $"{kept} has a certificate in that Secret too; give each its own");
            if (certificate.Keystores is { Formats.Count: 0 })
                component.Reader.Report($"{path}.keystores.formats", "is empty: say pkcs12, jks or both");
            if (certificate is { ReadBy.Count: > 0, Port: null })
                component.Reader.Report($"{path}.port", "is missing: who reads the Secret through the API is never restarted, so that only a handshake proves it");
            if (certificate.DnsNames.Count == 0)
                component.Reader.Report($"{path}.dnsNames", "is empty: say what the certificate is valid for");
            foreach (var unknown in certificate.DnsNames.SelectMany(Placeholders.NamesIn).Distinct().Except([.. BuiltInParameters.Always, .. component.Definition.Parameters.Select(parameter => parameter.Name), .. component.Definition.Imports.Keys]))
                component.Reader.Report($"{path}.dnsNames", $"${{{unknown}}} is not a parameter of {component.Definition.Name}");
            if (!authorities.Exists(known => known.Authority.Name == certificate.Authority))
                component.Reader.Report($"{path}.authority", $"no component declares the certificate authority {certificate.Authority}; declare it under certificateAuthorities. The catalog has {string.Join(", ", authorities.Select(known => known.Authority.Name).DefaultIfEmpty("none"))}");
        }

        foreach (var (authority, index) in component.Definition.CertificateAuthorities.Select((authority, index) => (authority, index)))
        {
            var path = $"{component.Definition.Name}.certificateAuthorities[{index}]";
            var others = authorities.Where(other => !ReferenceEquals(other.Authority, authority)).ToList();
            if (others.FirstOrDefault(other => other.Authority.Name == authority.Name) is { Owner: { } named })
                component.Reader.Report($"{path}.name", $"{named} has a certificate authority of that name too; names are unique in the catalog");
            if (authority.Keystores is { Formats.Count: 0 })
                component.Reader.Report($"{path}.keystores.formats", "is empty: say pkcs12, jks or both");
            if (authority is { Keystores: not null, Secret: null })
                component.Reader.Report($"{path}.secret", "is missing: truststores stand in the authority's own Secret");
            if (others.FirstOrDefault(other => other.Authority.Mount == authority.Mount) is { Owner: { } mounted })
                component.Reader.Report($"{path}.mount", $"{mounted} has a certificate authority there too; give each its own engine");
        }
    }

    private static KeystoreDefinition? Keystores(JsonNode? tree) => tree is null ? null : new(
        [.. Words(tree["formats"]).Distinct().Select(format => KeystoreFormats[format])], (string)tree["passwordSecretRef"]!["name"]!, (string)tree["passwordSecretRef"]!["key"]!);

    private static IReadOnlyList<string> Words(JsonNode? list) => [.. list!.AsArray().Select(word => (string)word!)];

    private static TimeSpan Duration(JsonNode? node) =>
        Units.TryParseDuration((string)node!, out var duration) ? duration : throw new InvalidOperationException($"'{node}' passed as a duration.");
}
