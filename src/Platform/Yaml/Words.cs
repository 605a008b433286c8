using System.Text.Json;

namespace PlatformOps.Platform.Yaml;

/// <summary>Enums as they are written in YAML: <c>HighlyAvailable</c> is <c>highly-available</c>.</summary>
internal static class Words
{
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    public static IReadOnlyList<string> All<T>()
        where T : struct, Enum => [.. Enum.GetValues<T>().Select(Of)];

    /// <exception cref="ArgumentOutOfRangeException">The word was not checked before.</exception>
    public static T Parse<T>(string word)
        where T : struct, Enum =>
        Enum.GetValues<T>().Where(value => Of(value) == word).Cast<T?>().FirstOrDefault()
            ?? throw new ArgumentOutOfRangeException(nameof(word), word, $"is no {typeof(T).Name}");
}
