using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Provisioning;

/// <summary>The version in the tag of an image, as far as rules about versions need it.</summary>
public readonly partial record struct ImageVersion(int Major, int Minor, int Patch) : IComparable<ImageVersion>
{
    /// <summary>The newest version among the images of some manifests; null when none has a version in its tag.</summary>
    public static ImageVersion? NewestIn(IEnumerable<JsonObject> manifests) =>
        manifests.SelectMany(Images).Select(Parse).OfType<ImageVersion>().Cast<ImageVersion?>().Max();

    /// <summary>Null when the tag is no version (<c>latest</c>, a digest).</summary>
    public static ImageVersion? Parse(string image) => TagPattern().Match(image) is { Success: true } match
        ? new(Number(match, 1), Number(match, 2), Number(match, 3))
        : null;

    /// <summary>The images of all containers in a manifest.</summary>
    public static IEnumerable<string> Images(JsonObject manifest) => In(manifest);

    public int CompareTo(ImageVersion other) => (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));

    public static bool operator <(ImageVersion left, ImageVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(ImageVersion left, ImageVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(ImageVersion left, ImageVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ImageVersion left, ImageVersion right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}.{Patch}");

    private static IEnumerable<string> In(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(pair => pair.Key is "containers" or "initContainers" && pair.Value is JsonArray containers
            ? containers.Select(container => (string?)container?["image"]).OfType<string>()
            : pair.Key == "metadata" ? [] : In(pair.Value)),
        JsonArray list => list.SelectMany(In),
        _ => [],
    };

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@":v?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})([-.+][0-9A-Za-z.+-]*)?(@.*)?$")]
    private static partial Regex TagPattern();
}
