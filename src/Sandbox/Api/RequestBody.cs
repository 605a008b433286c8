using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using YamlDotNet.Core;

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
            return text.TrimStart() is ['{' or '[', ..] ? JsonNode.Parse(text) : YamlText.Read(text);
        }
        catch (Exception failure) when (failure is JsonException or YamlException or ArgumentException)
        {
            throw ApiFailure.BadRequest($"the object provided is unrecognized (must be of type JSON or YAML): {failure.Message}");
        }
    }
}
