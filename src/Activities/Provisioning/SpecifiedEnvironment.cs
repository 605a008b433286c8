using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>An environment as it is specified on disk at this moment, with the catalog.</summary>
internal sealed record SpecifiedEnvironment(EnvironmentSpecification Environment, ComponentCatalog Catalog)
{
    /// <summary>So that the answer stays small; whoever corrects these sees the rest next time.</summary>
    private const int ProblemsShown = 50;

    /// <summary>What was read last of each pair of folders. Reading a catalog takes longer than most of what an activity does, and a run reads it for every step.</summary>
    private static readonly ConcurrentDictionary<ProvisioningSources, (string Texts, ComponentCatalog Catalog, PlatformSpecification Specification)> Known = new();

    /// <summary>Reads and checks everything. The files are read each time, what they mean only when one of them is another one.</summary>
    /// <exception cref="ApplicationFailureException">A file is missing, or there are problems: all are named. Or the environment is unknown.</exception>
    public static SpecifiedEnvironment Read(ProvisioningSources sources, string environment)
    {
        var (catalog, specification) = ReadAll(sources);
        return specification.Find(environment) is { } found
            ? new(found, catalog)
            : throw Invalid(
                FailureTypes.InvalidInput,
                $"Field 'environment' is '{environment}', which {sources.SpecificationFolder} does not have. Possible: {string.Join(", ", specification.Environments.Select(known => known.Name))}.");
    }

    /// <summary>Reads what a plan was made from.</summary>
    /// <exception cref="ApplicationFailureException">As <see cref="Read"/>; or it is another than the one that was planned with.</exception>
    public static SpecifiedEnvironment ReadAsPlanned(ProvisioningSources sources, ComponentReference reference)
    {
        var read = Read(sources, reference.Environment);
        RequireSame("specification", read.Environment.Digest, reference.SpecificationDigest, sources.SpecificationFolder);
        RequireSame("catalog", read.Catalog.Digest, reference.CatalogDigest, sources.CatalogFolder);
        return read;
    }

    /// <exception cref="ApplicationFailureException">The environment has no such component, or not enabled; the message names the possible ones.</exception>
    public void RequireComponents(IReadOnlyList<string>? names)
    {
        var possible = Environment.Components.Where(component => component.Enabled).Select(component => component.Name).ToList();
        if (names?.FirstOrDefault(name => !possible.Contains(name)) is { } unknown)
            throw Invalid(
                FailureTypes.InvalidInput,
                $"Field 'components' names '{unknown}', which environment {Environment.Name} does not have. Possible: {string.Join(", ", possible)}.");
    }

    /// <exception cref="ApplicationFailureException">The catalog or the environment has none of that name.</exception>
    public ComponentDefinition Component(string name)
    {
        RequireComponents([name]);
        return Catalog.Find(name)!;
    }

    /// <exception cref="ApplicationFailureException">The environment has no such region.</exception>
    public RegionSpecification Region(string name) => Environment.Regions.FirstOrDefault(region => region.Name == name)
        ?? throw Invalid(
            FailureTypes.InvalidInput,
            $"Field 'region' is '{name}', which environment {Environment.Name} does not span. Possible: {string.Join(", ", Environment.Regions.Select(region => region.Name))}.");

    /// <summary>The components that are enabled, each after everything that it depends on.</summary>
    public IReadOnlyList<ComponentDefinition> InDependencyOrder()
    {
        var enabled = Environment.Components.Where(component => component.Enabled).Select(component => Catalog.Find(component.Name)!).ToList();
        return [.. DependencyGraph.Order(enabled.ToDictionary(component => component.Name, component => component.Needs(Environment))).Select(name => Catalog.Find(name)!)];
    }

    /// <summary>Those of them that a region gets.</summary>
    public IEnumerable<ComponentDefinition> InDependencyOrder(string region) => InDependencyOrder()
        .Where(component => Environment.Components.First(known => known.Name == component.Name).Regions is var regions && (regions.Count == 0 || regions.Contains(region)));

    /// <summary>The secrets of a region that are rotated, with the component that declares each.</summary>
    public IEnumerable<(ComponentDefinition Component, RotationDefinition Rotation)> Rotations(string region) =>
        InDependencyOrder(region).SelectMany(component => ManifestRenderer.Rotations(Environment, component, region).Select(rotation => (component, rotation)));

    /// <summary>The kinds whose definitions the environment's own components install: a cluster that does not serve one yet has no such objects.</summary>
    public IReadOnlySet<ObjectKind> ProvidedKinds => InDependencyOrder().SelectMany(component => component.Provides).ToHashSet();

    /// <summary>The DNS zones that components which are listed name, enabled or not, for records of AWS.</summary>
    public IReadOnlySet<string> DnsZones =>
        (from component in Catalog.Components
         where component.Kinds.Contains(new(ResourceAddress.AwsApiVersion, "DnsRecord")) && Environment.Components.Any(listed => listed.Name == component.Name)
             && component.Imports.Keys.All(import => component.OwnerOf(import, Environment) is not null)
         from region in Environment.Regions
         from item in ManifestRenderer.Render(Environment, component, region.Name)
         where item.Address is { ApiVersion: ResourceAddress.AwsApiVersion, Kind: "DnsRecord" }
         select (string?)item.Manifest["spec"]?["zone"]).OfType<string>().ToHashSet();

    /// <summary>The labels of everything that we make for this environment.</summary>
    public Dictionary<string, string> Labels => new()
    {
        [Ownership.ManagedByLabel] = Ownership.ManagedBy,
        [Ownership.PlatformLabel] = Environment.Platform,
        [Ownership.EnvironmentLabel] = Environment.Name,
    };

    private static (ComponentCatalog Catalog, PlatformSpecification Specification) ReadAll(ProvisioningSources sources)
    {
        var (ofCatalog, ofSpecification) = (Texts(sources.CatalogFolder, "catalog"), Texts(sources.SpecificationFolder, "specification"));
        var texts = Digest(ofCatalog, ofSpecification);
        if (Known.TryGetValue(sources, out var known) && known.Texts == texts)
            return (known.Catalog, known.Specification);
        var catalog = CatalogReader.Read(ofCatalog);
        Refuse(catalog.Problems, sources.CatalogFolder, "catalog");
        var specification = SpecificationReader.Read(ofSpecification, catalog.Catalog!);
        Refuse(specification.Problems, sources.SpecificationFolder, "specification");
        Known[sources] = (texts, catalog.Catalog!, specification.Specification!);
        return (catalog.Catalog!, specification.Specification!);
    }

    /// <summary>Of every name and text, each with its length, so that nothing can pass for something else.</summary>
    private static string Digest(params IReadOnlyList<Dictionary<string, string>> folders)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var folder in folders)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{folder.Count}"));
            foreach (var (name, text) in folder.OrderBy(file => file.Key, StringComparer.Ordinal))
            {
                Add(name);
                Add(text);
            }
        }

        return Convert.ToHexString(digest.GetHashAndReset());

        void Add(string text)
        {
            digest.AppendData(BitConverter.GetBytes(text.Length));
            digest.AppendData(MemoryMarshal.AsBytes(text.AsSpan()));
        }
    }

    private static Dictionary<string, string> Texts(string folder, string what)
    {
        try
        {
            return Directory.EnumerateFiles(folder, "*.yaml", SearchOption.AllDirectories)
                .ToDictionary(file => Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllText);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ApplicationFailureException(
                $"The {what} folder {folder} cannot be read by this worker: {failure.Message} Put it there, or start the worker with --{what} and the right folder.",
                FailureTypes.InvalidSpecification, nonRetryable: true);
        }
    }

    private static void Refuse(IReadOnlyList<Problem> problems, string folder, string what)
    {
        if (problems.Count == 0)
            return;
        var more = problems.Count > ProblemsShown ? $"\n... and {problems.Count - ProblemsShown} more" : "";
        throw Invalid(
            FailureTypes.InvalidSpecification,
            $"The {what} {folder} has {problems.Count} problem{(problems.Count == 1 ? "" : "s")}:\n{string.Join('\n', problems.Take(ProblemsShown))}{more}\nCorrect all of them (platformops validate shows the same), then start again.");
    }

    private static void RequireSame(string what, string now, string planned, string folder)
    {
        if (now != planned)
            throw Invalid(
                FailureTypes.SpecificationChanged,
                $"The {what} in {folder} is not the one that was planned with (SHA-256 {now[..12]}, planned: {planned[..Math.Min(12, planned.Length)]}). Nothing was changed. Abort and start again to plan with the new one, or put the old one back and retry the step.");
    }

    private static ApplicationFailureException Invalid(string type, string message) => new(message, type, nonRetryable: true);
}
