using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary>What the reference platform rotates: nothing secret is forgotten.</summary>
public sealed class CommittedRotationTests
{
    /// <summary>Says of an ExternalSecret why nothing rotates what it brings.</summary>
    private const string NotRotated = "platformops.io/not-rotated";

    /// <summary>Kinds that no component of a platform is for.</summary>
    private static readonly Dictionary<RotationKind, string> Elsewhere = new()
    {
        [RotationKind.CodecKey] = "The codec's keys are the bootstrap cluster's: they stand where its workers do.",
        [RotationKind.VaultToken] = "Our workers log in with an AppRole, or as pods that Vault knows; tokens are for who cannot.",
    };

    private static readonly EnvironmentSpecification Production = CommittedCatalog.Environment("production");

    [Fact]
    public void Production_rotates_credentials_of_every_kind()
    {
        var declared = Rotations("us-east-1").Select(rotation => rotation.Kind).ToHashSet();
        Assert.Empty(Enum.GetValues<RotationKind>().Except(declared).Except(Elsewhere.Keys));
        Assert.Empty(declared.Intersect(Elsewhere.Keys));
        // Every service whose credentials can be rotated has one that is.
        Assert.Empty(new[] { "artifactory", "authentik", "cloudflare", "datadog", "gitlab", "grafana" }
            .Except(Rotations("us-east-1").Select(rotation => rotation.Target).OfType<ServiceTarget>().Select(target => target.Service)));
    }

    [Theory]
    [InlineData("us-east-1")]
    [InlineData("us-west-2")]
    public void Every_secret_of_production_is_rotated_or_says_why_not(string region)
    {
        var rotations = Rotations(region);
        var generated = Components(region).SelectMany(component => component.Secrets).SelectMany(secret => secret.Generated.Keys.Except(secret.NotRotated.Keys).Select(key => $"{secret.Namespace}/{secret.Name}/{key}"));
        Assert.Empty(generated.Except(rotations.Select(rotation => $"{rotation.Namespace}/{rotation.Secret}/{rotation.PasswordKey}")));

        foreach (var (address, spec, space) in ExternalSecrets(region).Where(item => item.Manifest["metadata"]!["annotations"]?[NotRotated] is null).Select(item => (item.Address, item.Manifest["spec"]!, Space(region, item))))
        {
            foreach (var (key, property) in spec["data"]!.AsArray().Select(entry => ((string)entry!["remoteRef"]!["key"]!, (string)entry["remoteRef"]!["property"]!)))
            {
                var rotated = space is null
                    ? rotations.Any(rotation => rotation.Path == key && property is "username" or "password")
                    : rotations.Any(rotation => (rotation.Namespace, rotation.Secret) == (space, key));
                Assert.True(rotated, $"{address} brings {property} of {key}: nothing rotates it, and no annotation {NotRotated} says why");
            }
        }
    }

    [Theory]
    [InlineData("us-east-1")]
    [InlineData("us-west-2")]
    public void Everything_that_is_rotated_is_provisioned_with_the_keys_that_the_rotation_names(string region)
    {
        var made = Components(region).SelectMany(component => component.Secrets).SelectMany(secret => secret.Generated.Keys.Concat(secret.Literals.Keys).Select(key => $"{secret.Namespace}/{secret.Name}/{key}"))
            .Concat(ExternalSecrets(region).SelectMany(item => item.Manifest["spec"]!["data"]!.AsArray().Select(entry => $"{item.Address.Namespace}/{item.Manifest["spec"]!["target"]!["name"]}/{entry!["secretKey"]}"))).ToHashSet();
        Assert.Empty(Rotations(region).SelectMany(rotation => new[] { rotation.PasswordKey, rotation.UsernameKey }.OfType<string>().Select(key => $"{rotation.Namespace}/{rotation.Secret}/{key}")).Except(made));
    }

    [Fact]
    public void What_rotations_say_of_their_systems_is_filled_in()
    {
        var rotations = Rotations("us-west-2");
        Assert.Equal(new IamTarget("reference-production-velero-us-west-2"), rotations.Single(rotation => rotation.Name == "velero").Target);
        Assert.Equal(new IamTarget("reference-production-snapshots-us-west-2"), rotations.Single(rotation => rotation.Name == "elasticsearch-snapshots").Target);
        var gitlab = (ServiceTarget)rotations.Single(rotation => rotation.Name == "gitlab-argocd").Target!;
        // A project's path is one part of the address.
        Assert.Equal("api/v4/projects/platform%2Fconfiguration/access_tokens", gitlab.Create!.Path);
        // A number stays one.
        Assert.Equal(2, (long)((ServiceTarget)rotations.Single(rotation => rotation.Name == "authentik").Target!).Create!.Body!["user"]!);
    }

    /// <summary>Nobody but whoever runs the platform knows where its own workers are.</summary>
    [Fact]
    public void That_nobody_uses_a_credential_of_our_own_workers_is_for_the_specification_to_say()
    {
        Assert.All(Rotations("us-east-1"), rotation => Assert.Null(rotation.NoConsumers));
        var declared = Components("us-east-1").SelectMany(component => component.Rotations.Where(rotation => rotation.NoConsumers is not null).Select(rotation => (component, rotation.Name))).ToList();
        Assert.Equal(["authentik", "cloudflare", "datadog", "vault-platformops"], declared.Select(known => known.Name).Order());
        foreach (var (component, name) in declared)
        {
            var said = Production with
            {
                Components = [.. Production.Components.Select(chosen => chosen.Name == component.Name ? chosen with { Parameters = new JsonObject(chosen.Parameters.Select(pair => KeyValuePair.Create(pair.Key, pair.Key == "unusedBecause" ? JsonValue.Create("They run elsewhere.") : pair.Value?.DeepClone()))) } : chosen)],
            };
            Assert.Equal("They run elsewhere.", ManifestRenderer.Rotations(said, component, "us-east-1").Single(rotation => rotation.Name == name).NoConsumers);
        }
    }

    /// <summary>Of two services that can take each other's place only one has keys.</summary>
    [Fact]
    public void A_rotation_is_there_when_its_condition_holds()
    {
        var other = Production with
        {
            Components = [.. Production.Components.Select(component => component.Name == "external-monitoring" ? component with { Parameters = new JsonObject(component.Parameters.Select(pair => KeyValuePair.Create(pair.Key, pair.Key == "provider" ? JsonValue.Create("new-relic") : pair.Value?.DeepClone()))) } : component)],
        };
        var component = CommittedCatalog.Catalog.Find("external-monitoring")!;
        Assert.Equal(["datadog"], ManifestRenderer.Rotations(Production, component, "us-east-1").Select(rotation => rotation.Name));
        Assert.Empty(ManifestRenderer.Rotations(other, component, "us-east-1"));
    }

    private static IEnumerable<ComponentDefinition> Components(string region) => Production.Components
        .Where(component => component.Enabled && (component.Regions.Count == 0 || component.Regions.Contains(region))).Select(component => CommittedCatalog.Catalog.Find(component.Name)!);

    private static List<RotationDefinition> Rotations(string region) => [.. Components(region).SelectMany(component => ManifestRenderer.Rotations(Production, component, region))];

    private static IEnumerable<DesiredObject> ExternalSecrets(string region) =>
        Components(region).SelectMany(component => ManifestRenderer.Render(Production, component, region)).Where(rendered => rendered.Address.Kind == "ExternalSecret");

    /// <summary>The namespace that its store reads; null: it reads Vault.</summary>
    private static string? Space(string region, DesiredObject secret) => (string?)Components(region).SelectMany(component => ManifestRenderer.Render(Production, component, region))
        .Single(rendered => rendered.Address.Kind == "ClusterSecretStore" && rendered.Address.Name == (string)secret.Manifest["spec"]!["secretStoreRef"]!["name"]!)
        .Manifest["spec"]!["provider"]!["kubernetes"]?["remoteNamespace"];
}
