using PlatformOps.Platform.Catalog;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Specifications;

namespace PlatformOps.Starter.Runs;

/// <summary>Which plane of the platform a component belongs to.</summary>
internal static class Planes
{
    private const string Unknown = "components";

    /// <summary>As the catalog says. A catalog that cannot be read here costs the grouping only: the run reads it where its worker is.</summary>
    public static Func<string, string> From(string catalog)
    {
        var planes = Read(catalog)?.Components.ToDictionary(component => component.Name, component => component.Plane) ?? [];
        return component => planes.GetValueOrDefault(component, Unknown);
    }

    private static ComponentCatalog? Read(string catalog)
    {
        try
        {
            return CatalogReader.Read(SourceFolder.Read(catalog, "catalog").Texts).Catalog;
        }
        catch (CommandFailure)
        {
            return null;
        }
    }
}
