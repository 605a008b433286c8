using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <param name="Reader">Knows the line of everything that the definition says.</param>
internal sealed record ReadDefinition(ComponentDefinition Definition, ShapeReader Reader);

/// <summary>Rules that look at several components.</summary>
internal static class CatalogChecks
{
    /// <summary>Whom a component names must be in the catalog.</summary>
    public static void CheckNames(ReadDefinition component, IReadOnlyList<string> known)
    {
        var definition = component.Definition;
        foreach (var (key, names) in new[] { ("dependsOn", definition.DependsOn), ("dependsOnPrimary", definition.DependsOnPrimary), ("excludes", definition.Excludes), ("upgradeAfter", definition.UpgradeAfter) })
        {
            foreach (var (item, index) in names.Select((item, index) => (item, index)))
            {
                foreach (var unknown in ComponentDefinition.Alternatives(item).Except(known))
                    component.Reader.Report($"{definition.Name}.{key}[{index}]", $"{unknown} is not in the catalog; add it, or remove it here. The catalog has {string.Join(", ", known)}");
            }
        }
    }

    public static void Check(IReadOnlyList<ReadDefinition> read, ComponentCatalog catalog)
    {
        foreach (var component in read)
        {
            CheckImports(component, catalog);
            CheckUse(component, catalog);
            ObservedChecks.Check(component, catalog);
            CheckKinds(component, catalog);
            CheckRotations(component, catalog);
            CheckSecrets(component);
            CertificateReader.Check(component, catalog);
            BackupReader.Check(component, catalog);
        }
    }

    /// <summary>A rotation is known by its name, and two of them must not write the same path.</summary>
    private static void CheckRotations(ReadDefinition component, ComponentCatalog catalog)
    {
        var all = catalog.Components.SelectMany(other => other.Rotations.Select(rotation => (Owner: other.Name, Rotation: rotation))).ToList();
        foreach (var (rotation, index) in component.Definition.Rotations.Select((rotation, index) => (rotation, index)))
        {
            var path = $"{component.Definition.Name}.rotations[{index}]";
            var others = all.Where(other => !ReferenceEquals(other.Rotation, rotation)).ToList();
            if (others.FirstOrDefault(other => other.Rotation.Name == rotation.Name) is { Owner: { } named })
                component.Reader.Report($"{path}.name", $"{named} has a rotation of that name too; names are unique in the catalog");
            if (others.FirstOrDefault(other => other.Rotation.Path == rotation.Path || other.Rotation.Path == $"{rotation.Path}/pending" || $"{other.Rotation.Path}/pending" == rotation.Path) is { Owner: { } kept })
                component.Reader.Report($"{path}.path", $"{kept} keeps a secret there, or what it stages; give each its own path");
            if (rotation.When is { } when && Condition.Parse(when) is null)
                component.Reader.Report($"{path}.when", $"'{when}' is no condition; flag, !flag, name == value or name != value is expected");
            foreach (var unknown in RotationReader.NamesIn(rotation).Distinct().Except([.. BuiltInParameters.Always, .. component.Definition.Parameters.Select(parameter => parameter.Name), .. component.Definition.Imports.Keys]))
                component.Reader.Report(path, $"${{{unknown}}} is not a parameter of {component.Definition.Name}");
        }
    }

    /// <summary>Why a key is not rotated is only said of one that there is, and that nothing rotates.</summary>
    private static void CheckSecrets(ReadDefinition component)
    {
        foreach (var (secret, index) in component.Definition.Secrets.Select((secret, index) => (secret, index)))
        {
            foreach (var key in secret.NotRotated.Keys)
            {
                var path = $"{component.Definition.Name}.secrets[{index}].notRotated.{key}";
                if (!secret.Generated.ContainsKey(key))
                    component.Reader.Report(path, $"is no generated key; possible: {string.Join(", ", secret.Generated.Keys.DefaultIfEmpty("none"))}");
                else if (component.Definition.Rotations.FirstOrDefault(rotation => (rotation.Namespace, rotation.Secret, rotation.PasswordKey) == (secret.Namespace, secret.Name, key)) is { } rotation)
                    component.Reader.Report(path, $"the rotation {rotation.Name} replaces it; remove one of the two");
            }
        }
    }

    private static void CheckImports(ReadDefinition component, ComponentCatalog catalog)
    {
        foreach (var (name, owner) in component.Definition.Imports.SelectMany(import => ComponentDefinition.Alternatives(import.Value).Select(owner => (import.Key, owner))))
        {
            var path = $"{component.Definition.Name}.imports.{name}";
            if (catalog.Find(owner) is not { } source)
                component.Reader.Report(path, $"{owner} is not in the catalog; name the component that declares {name}");
            else if (component.Definition.Scaling is { } scaling && (scaling.Connections == name || scaling.ConnectionLimit == name) && source.Parameters.FirstOrDefault(parameter => parameter.Name == name) is { Type: not ParameterType.Integer })
                component.Reader.Report(path, $"{name} of {owner} is no integer, and scaling counts connections by it");
            else if (source.Parameters.All(parameter => parameter.Name != name))
                component.Reader.Report(path, $"{owner} does not declare {name}; declare it there, or import one of its parameters: {string.Join(", ", source.Parameters.Select(parameter => parameter.Name))}");
        }
    }

    private static void CheckUse(ReadDefinition component, ComponentCatalog catalog)
    {
        var definition = component.Definition;
        var used = ManifestReader.NamesIn(definition).Concat(ScalingReader.NamesIn(definition.Scaling)).Concat(definition.Rotations.SelectMany(RotationReader.NamesIn)).Concat(DelegatedScaling.NamesIn(definition)).ToHashSet();
        foreach (var parameter in definition.Parameters.Where(parameter => !used.Contains(parameter.Name) && !catalog.Components.Any(other => other.Imports.TryGetValue(parameter.Name, out var owners) && ComponentDefinition.Alternatives(owners).Contains(definition.Name))))
            component.Reader.Report($"{definition.Name}.parameters.{parameter.Name}", "no manifest uses it: use it, or remove it");
        foreach (var import in definition.Imports.Keys.Where(name => !used.Contains(name)))
            component.Reader.Report($"{definition.Name}.imports.{import}", "no manifest uses it: use it, or remove it");
    }

    /// <summary>A kind that some component installs is there only after that component: who uses it must depend on it.</summary>
    private static void CheckKinds(ReadDefinition component, ComponentCatalog catalog)
    {
        var definition = component.Definition;
        var before = DependencyGraph.Closure(catalog.Dependencies[definition.Name], catalog.Dependencies);
        // What scales it is needed in environments that want it so: there it comes first by itself.
        foreach (var kind in definition.Kinds.Except(DelegatedScaling.KindsOf(definition)))
        {
            var providers = catalog.Components.Where(other => other.Provides.Contains(kind)).Select(other => other.Name).ToList();
            // Definitions in its own manifests are applied before what follows them; those of its chart come after all of its manifests.
            if (providers.Contains(definition.Name) && definition.Chart is null)
                continue;
            if (kind == ArgoApplication.Kind && providers.Count == 0)
                component.Reader.Report($"{definition.Name}.delivery", $"gitops needs a component that provides {kind}, and the catalog has none");
            else if (providers.Count > 0 && !providers.Exists(before.Contains))
                component.Reader.Report($"{definition.Name}.dependsOn", $"it has objects of {kind}, which {string.Join(" or ", providers)} provides: depend on it");
        }
    }
}
