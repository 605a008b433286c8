using System.CommandLine;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Specifications;

namespace PlatformOps.Starter.Commands;

internal static class ValidateCommand
{
    public static Command Create() =>
        new CliCommand(
            "validate",
            "Check the specification and the catalog; report every problem with its file, line and what would be right.",
            new Example("validate", "the reference platform"),
            new Example("validate --specification platform/ --output json", "for a pipeline: problems as JSON, exit code 3 when there are any"))
        .Runs((invocation, _) =>
        {
            var validation = Validation.Of(invocation.Locations);
            invocation.Terminal.Result(new
            {
                valid = validation.Problems.Count == 0,
                validation.Problems,
                environments = validation.Specification?.Environments.Select(environment => environment.Name),
            });
            if (validation.Problems.Count > 0)
                // As JSON the result on standard output has said it all already.
                return invocation.Terminal.Json ? Task.FromResult(ExitCode.Invalid) : throw validation.Refusal(invocation.Locations);
            WriteText(invocation, validation);
            return Task.FromResult(ExitCode.Success);
        });

    private static void WriteText(Invocation invocation, Validation validation)
    {
        var specification = validation.Specification!;
        invocation.Terminal.Line($"{specification.Name} is valid: {invocation.Locations.Specification}");
        foreach (var environment in specification.Environments)
        {
            var regions = string.Join(", ", environment.Regions.Select(region => region.Name));
            invocation.Terminal.Line(
                $"  {environment.Name}: {environment.Components.Count(component => component.Enabled)} components, {validation.ObjectsOf(environment)} objects in {regions}; digest {environment.Digest[..12]}");
        }
    }
}
