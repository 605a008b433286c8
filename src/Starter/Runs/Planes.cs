namespace PlatformOps.Starter.Runs;

/// <summary>Which plane a component belongs to.</summary>
internal static class Planes
{
    private const string Unknown = "components";

    public static Func<string, string> From(string catalog) => _ => Unknown;
}
