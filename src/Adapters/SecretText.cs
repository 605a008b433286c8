using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PlatformOps.Adapters;

/// <summary>A secret value. Neither text, nor JSON, nor a debugger shows it; only <see cref="Reveal"/> gives it away.</summary>
[JsonConverter(typeof(HiddenInJson))]
[DebuggerDisplay(Hidden)]
public sealed class SecretText(string value) : IEquatable<SecretText>
{
    private const string Hidden = "(secret)";

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string value = value;

    /// <summary>The value itself: for the call that needs it, and nothing else.</summary>
    public string Reveal() => value;

    /// <inheritdoc/>
    public override string ToString() => Hidden;

    /// <summary>Compares in a time that does not depend on the values.</summary>
    public bool Equals(SecretText? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value), Encoding.UTF8.GetBytes(other.value));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SecretText);

    /// <summary>The same for all: a hash of a short secret would give it away.</summary>
    public override int GetHashCode() => 0;

    private sealed class HiddenInJson : JsonConverter<SecretText>
    {
        public override SecretText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new JsonException("A secret is never read from JSON.");

        public override void Write(Utf8JsonWriter writer, SecretText value, JsonSerializerOptions options) => writer.WriteStringValue(Hidden);
    }
}
