using System.CommandLine;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Specifications;

namespace PlatformOps.Starter.Commands;

internal static class SchemaCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "platform, environment or component: platform.yaml, environments/*.yaml or k8s/components/*/component.yaml." };
        file.AcceptOnlyFromAmong("platform", "environment", "component");
        return new CliCommand(
            "schema",
            "Print the JSON Schema of a kind of file, so that editors complete and check it. The components and their parameters are the catalog's.",
            new Example("schema platform > platform.schema.json", "then in platform.yaml: # yaml-language-server: $schema=platform.schema.json"),
            new Example("schema environment --catalog my/components > environment.schema.json", "with your own components"))
        {
            file,
        }
        .Runs((invocation, _) =>
        {
            JsonObject schema = invocation.Get(file) switch
            {
                "platform" => SpecificationSchema.Platform(Catalog(invocation)),
                "environment" => SpecificationSchema.Environment(Catalog(invocation)),
                _ => SpecificationSchema.Component(),
            };
            invocation.Terminal.Line(schema.ToJsonString(JsonOutput.Indented));
            invocation.Terminal.Result(schema);
            return Task.FromResult(ExitCode.Success);
        });
    }

    /// <summary>A schema that allows any component would be wrong in silence: the catalog has to be right first.</summary>
    private static ComponentCatalog Catalog(Invocation invocation)
    {
        var folder = SourceFolder.Read(invocation.Locations.Catalog, "catalog");
        return CatalogReader.Read(folder.Texts).Catalog
            ?? throw new CommandFailure(ExitCode.Invalid, $"The catalog {folder.Path} has problems.", "The schema states the catalog's components.", "platformops validate");
    }
}
