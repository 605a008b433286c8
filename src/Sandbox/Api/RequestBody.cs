using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PlatformOps.Sandbox.Api;

/// <summary>Reads bodies: JSON, or YAML where a caller sends it.</summary>
internal static class RequestBody
{
    /// <summary>A real server takes no more either.</summary>
    private const int Limit = 3 * 1024 * 1024;

    /// <summary>Null when there is none.</summary>
    /// <exception cref="ApiFailure">400: it cannot be read; 413: it is too large; 415: it is neither JSON nor YAML.</exception>
    public static async Task<JsonNode?> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, ct)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > Limit)
                throw new ApiFailure(413, "RequestEntityTooLarge", $"Request entity too large: limit is {Limit}");
        }

        if (buffer.Length == 0)
            return null;
        if (request.ContentType?.Contains("protobuf", StringComparison.Ordinal) == true)
            return ProtobufBody.Read(buffer.ToArray());
        var text = Encoding.UTF8.GetString(buffer.ToArray());
        try
        {
            return text.TrimStart() is ['{' or '[', ..] ? JsonNode.Parse(text) : FromYaml(text);
        }
        catch (Exception failure) when (failure is JsonException or YamlException or ArgumentException)
        {
            throw ApiFailure.BadRequest($"the object provided is unrecognized (must be of type JSON or YAML): {failure.Message}");
        }
    }

    private static JsonNode? FromYaml(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return stream.Documents.Count == 0 ? null : Convert(stream.Documents[0].RootNode);
    }

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value ?? "", Convert(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Convert)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar => Plain(scalar.Value ?? ""),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => null,
    };

    private static JsonNode? Plain(string text) => text switch
    {
        "" or "null" or "~" => null,
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var fraction) => JsonValue.Create(fraction),
        _ => JsonValue.Create(text),
    };
}
