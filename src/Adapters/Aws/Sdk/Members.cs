using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;

namespace PlatformOps.Adapters.Aws.Sdk;

/// <summary>What a list's elements are called on the wire. Default: <c>member</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ListOfAttribute(string element) : Attribute
{
    public string Element => element;
}

/// <summary>Stands in the address or a header, not in the body.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotInBodyAttribute : Attribute;

/// <summary>The members that requests and answers have on the wire: their declared properties, in the order of the source, which is the order of the service's schema.</summary>
internal static class Members
{
    private static readonly ConcurrentDictionary<Type, PropertyInfo[]> Known = new();

    public static PropertyInfo[] Of(Type type) => Known.GetOrAdd(type, wanted =>
        [.. wanted.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).OrderBy(property => property.MetadataToken)]);

    /// <summary>A simple value as it is written; null for lists and structures.</summary>
    public static string? Text(object value) => value switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        DateTime time => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>A simple value as it is read.</summary>
    public static object? Value(Type type, string text)
    {
        var simple = Nullable.GetUnderlyingType(type) ?? type;
        if (simple == typeof(string))
            return text;
        if (text.Length == 0)
            return null;
        if (simple == typeof(bool))
            return bool.Parse(text);
        if (simple == typeof(DateTime))
            return DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
        return Convert.ChangeType(text, simple, CultureInfo.InvariantCulture);
    }
}
