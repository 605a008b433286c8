namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>A list filter that cannot be understood, and where.</summary>
internal sealed class FilterException(string message) : Exception(message)
{
    public static FilterException At(int position, string problem) => new($"invalid query: {problem} at position {position}");
}
