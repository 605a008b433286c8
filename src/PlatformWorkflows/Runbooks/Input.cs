using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>What an operator typed, as JSON of a <typeparamref name="T"/>. Reading it never fails, so that a mistake becomes an answer that
/// names the field instead of a workflow task that fails forever; <see cref="Read"/> then gives the value or that answer.</summary>
/// <typeparam name="T">A record whose properties are all optional; unknown fields are mistakes.</typeparam>
[JsonConverter(typeof(InputJsonConverterFactory))]
public sealed class Input<T>
    where T : class
{
    private readonly T? value;
    private readonly string? problem;

    private Input(T? value, string? problem) => (this.value, this.problem) = (value, problem);

    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "Of is it.")]
    public static implicit operator Input<T>(T value) => Of(value);

    internal static Input<T> Of(T value) => new(value, null);

    internal static Input<T> Invalid(string problem) => new(null, problem);

    /// <summary>The value, null when what was typed is not one.</summary>
    internal T? ValueOrNull => value;

    /// <summary>The value.</summary>
    /// <exception cref="ApplicationFailureException">It has an unknown field or one of the wrong type; not retryable,
    /// <see cref="FailureTypes.InvalidInput"/>.</exception>
    public T Read() => value ?? throw FailureTypes.Invalid(problem!);
}

/// <summary>Makes the answer to what is not even JSON, for a payload whose target is an <see cref="Input{T}"/>.</summary>
internal static class UnreadableInput
{
    public static bool IsInput(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Input<>);

    /// <summary>An input of that type whose reading says what is wrong.</summary>
    public static object Create(Type input, string problem) =>
        input.GetMethod(nameof(Input<>.Invalid), BindingFlags.NonPublic | BindingFlags.Static)!.Invoke(null, [problem])!;
}

internal sealed class InputJsonConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => UnreadableInput.IsInput(typeToConvert);

    public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter?)Activator.CreateInstance(typeof(InputJsonConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()));
}

internal sealed class InputJsonConverter<T> : JsonConverter<Input<T>>
    where T : class
{
    public override Input<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var fields = JsonElement.ParseValue(ref reader);
        if (fields.ValueKind != JsonValueKind.Object)
            return Input<T>.Invalid($"The input is not a JSON object. Possible fields: {KnownFields(options)}.");
        var names = fields.EnumerateObject().Select(field => field.Name).ToList();
        if (names.Find(name => !Properties(options).Contains(name)) is { } unknown)
            return Input<T>.Invalid($"Unknown field '{unknown}'. Possible fields: {KnownFields(options)}.");
        if (names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            return Input<T>.Invalid($"Field '{twice.Key}' is given twice.");
        try
        {
            return Input<T>.Of(fields.Deserialize<T>(options)!);
        }
        catch (JsonException failure)
        {
            var field = (failure.Path ?? "$").TrimStart('$').TrimStart('.');
            return Input<T>.Invalid($"Field '{field}' has a value of the wrong kind: {Expected(field, options)}.");
        }
    }

    public override void Write(Utf8JsonWriter writer, Input<T> value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value.Read(), options);

    private static List<string> Properties(JsonSerializerOptions options) =>
        [.. options.GetTypeInfo(typeof(T)).Properties.Select(property => property.Name)];

    private static string KnownFields(JsonSerializerOptions options) => string.Join(", ", Properties(options));

    private static string Expected(string field, JsonSerializerOptions options)
    {
        var name = field.Split('[', '.')[0];
        var type = options.GetTypeInfo(typeof(T)).Properties.FirstOrDefault(property => property.Name == name)?.PropertyType;
        type = type is null ? null : Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            null => "see the runbook's page for the fields",
            _ when field.EndsWith(']') => "a text is expected",
            { IsEnum: true } => "one of " + string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)) + " is expected",
            _ when type == typeof(string) => "a text is expected",
            _ when type == typeof(int) => "a whole number is expected",
            _ when type == typeof(bool) => "true or false is expected",
            _ when type == typeof(IReadOnlyDictionary<string, string>) => "a map of texts is expected",
            _ => "a list of texts is expected",
        };
    }
}
