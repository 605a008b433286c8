using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;

namespace PlatformOps.Starter.Specifications;

/// <summary>Finds a mistyped environment before a server is asked.</summary>
internal static class KnownEnvironments
{
    /// <summary>
    /// Requires that the environment exists and is the one that runs here, as far as it can be known: where somebody chose a server, its workers may have
    /// another specification than this machine; one with problems says nothing about its environments.
    /// </summary>
    /// <exception cref="CommandFailure">There is no such environment, or another one runs here.</exception>
    public static void Require(string environment, TemporalTarget target, Locations locations)
    {
        if (target.Chosen)
            return;
        var specification = target.Instance?.Specification ?? locations.Specification;
        var catalog = target.Instance?.Catalog ?? locations.Catalog;
        if (NamesIn(locations with { Specification = specification, Catalog = catalog }) is { } known && !known.Contains(environment))
            throw Unknown(environment, specification, known);
        if (target.Instance is { } instance && instance.Environment != environment)
            throw new CommandFailure(
                ExitCode.Usage,
                $"The `up` that runs on {locations.Data} holds {instance.Environment}, not {environment}.",
                "Its sandbox plays the clusters of one environment.",
                $"platformops up {environment} --data DIR     (with another directory)");
    }

    public static CommandFailure Unknown(string environment, string specification, IEnumerable<string> known) => new(
        ExitCode.Usage,
        $"There is no environment \"{environment}\".",
        $"The environments of {specification} are: {string.Join(", ", known)}.",
        "Choose one of them, or name another specification with --specification DIR.");

    private static List<string>? NamesIn(Locations locations)
    {
        try
        {
            return Validation.Of(locations).Specification?.Environments.Select(environment => environment.Name).ToList();
        }
        catch (CommandFailure)
        {
            // Nothing to read here: whoever carries the run out says what is wrong.
            return null;
        }
    }
}
