namespace PlatformOps.Platform.Specification;

/// <summary>A platform with all its environments, read from <c>platform.yaml</c> and <c>environments/*.yaml</c>.</summary>
public sealed record PlatformSpecification
{
    public required string Name { get; init; }

    /// <summary>Sorted by name (ordinal).</summary>
    public required IReadOnlyList<EnvironmentSpecification> Environments { get; init; }

    /// <summary>The environment, or null when the platform has none of that name.</summary>
    public EnvironmentSpecification? Find(string name) =>
        Environments.FirstOrDefault(environment => environment.Name == name);
}
