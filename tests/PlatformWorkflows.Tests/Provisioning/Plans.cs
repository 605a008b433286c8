using PlatformOps.Platform.Provisioning;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>Plans for tests: components of one region with one object each, in the order given.</summary>
internal static class Plans
{
    public const string Region = "us-east-1";

    /// <summary>Hashes look like real ones, so that messages read as they would.</summary>
    public static readonly string Hash = new('a', 64);

    /// <summary>A database, two services on it, and a gateway on both: a diamond.</summary>
    public static ProvisioningPlan Diamond { get; } =
        Of(Component("postgresql"), Component("history", "postgresql"), Component("matching", "postgresql"), Component("frontend", "history", "matching"));

    /// <summary>Two that depend on one another in a row, and one that stands alone.</summary>
    public static ProvisioningPlan Chain { get; } = Of(Component("postgresql"), Component("frontend", "postgresql"), Component("redis"));

    public static ProvisioningPlan Of(params PlannedComponent[] components) => new()
    {
        Platform = "reference",
        Environment = "development",
        SpecificationDigest = new('b', 64),
        CatalogDigest = new('c', 64),
        Components = components,
        Hash = Hash,
    };

    /// <summary>A component that has one object to create.</summary>
    public static PlannedComponent Component(string name, params string[] dependsOn) => new()
    {
        Component = name,
        Region = Region,
        DependsOn = [.. dependsOn.Select(Step)],
        Objects = [Object(name)],
    };

    public static PlannedComponent With(this PlannedComponent component, params PlannedObject[] objects) => component with { Objects = objects };

    public static PlannedObject Object(string name, PlannedAction action = PlannedAction.Create, string reason = "It does not exist.") => new()
    {
        Address = Address(name),
        Action = action,
        Reason = reason,
        Changes = [],
    };

    public static ResourceAddress Address(string name) => new(Region, "apps/v1", "Deployment", "temporal-backend", name);

    public static string Step(string component) => $"{component}@{Region}";
}
