using Google.Protobuf;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Pages of lists that are in memory, in the order of a name: the token is the last name that was shown.</summary>
internal static class PageToken
{
    /// <returns>A page, and the token for the next; it is empty after the last.</returns>
    public static (List<T> Page, ByteString Next) Take<T>(IEnumerable<T> all, Func<T, string> nameOf, ByteString token, int size)
    {
        var after = token.ToStringUtf8();
        var rest = all.Where(i => string.CompareOrdinal(nameOf(i), after) > 0).OrderBy(nameOf, StringComparer.Ordinal).Take(size + 1).ToList();
        return rest.Count <= size ? (rest, ByteString.Empty) : (rest[..size], ByteString.CopyFromUtf8(nameOf(rest[size - 1])));
    }
}
