using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Type = System.Type;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>
/// Messages inside of <see cref="Any"/>, told apart by the protocol's names, which follow from those of their types. The
/// library's own way asks for a message's descriptor, and that loads the whole protocol's: half a second and 45 MB.
/// </summary>
internal static class AnyMessage
{
    private const string Prefix = "type.googleapis.com/";

    private static readonly ConcurrentDictionary<Type, string> Names = new();

    public static Any Of(IMessage message) => new() { TypeUrl = Prefix + NameOf(message.GetType()), Value = message.ToByteString() };

    public static bool Holds<T>(this Any any)
        where T : class, IMessage<T>, new() => any.TypeUrl.EndsWith(NameOf(typeof(T)), StringComparison.Ordinal) && any.TypeUrl.Length > NameOf(typeof(T)).Length;

    /// <summary>The message inside. Ask <see cref="Holds"/> before.</summary>
    public static T Read<T>(this Any any)
        where T : class, IMessage<T>, new()
    {
        var message = new T();
        message.MergeFrom(any.Value);
        return message;
    }

    /// <summary>The full name of a message of the protocol.</summary>
    public static string NameOf(Type type) => Names.GetOrAdd(type, static t =>
        $"{t.Namespace!.Replace("Temporalio.Api", "temporal.api", StringComparison.Ordinal).ToLowerInvariant()}.{t.FullName![(t.Namespace.Length + 1)..].Replace("+Types+", ".", StringComparison.Ordinal)}");
}
