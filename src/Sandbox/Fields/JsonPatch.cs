using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;

namespace PlatformOps.Sandbox.Fields;

/// <summary>JSON patch (RFC 6902).</summary>
internal static class JsonPatch
{
    /// <exception cref="ApiFailure">422: a test failed or a path does not exist; 400: the patch itself is wrong.</exception>
    public static JsonObject Apply(JsonObject target, JsonArray patch)
    {
        JsonNode? root = target.DeepClone();
        foreach (var step in patch.OfType<JsonObject>())
        {
            var operation = (string?)step["op"];
            var path = Pointer(step, "path");
            switch (operation)
            {
                case "add":
                    root = Add(root, path, step["value"]?.DeepClone());
                    break;
                case "remove":
                    Remove(root, path);
                    break;
                case "replace":
                    _ = Find(root, path);
                    Replace(root, path, step["value"]?.DeepClone());
                    break;
                case "test":
                    if (!JsonNode.DeepEquals(Find(root, path), step["value"]))
                        throw Rejected($"testing value {(string?)step["path"]} failed");
                    break;
                case "copy":
                    root = Add(root, path, Find(root, Pointer(step, "from"))?.DeepClone());
                    break;
                case "move":
                    var moved = Find(root, Pointer(step, "from"))?.DeepClone();
                    Remove(root, Pointer(step, "from"));
                    root = Add(root, path, moved);
                    break;
                default:
                    throw ApiFailure.BadRequest($"Unexpected kind: {operation}");
            }
        }

        return root as JsonObject ?? throw Rejected("the result is not an object");
    }

    private static string[] Pointer(JsonObject step, string field)
    {
        var text = (string?)step[field] ?? throw ApiFailure.BadRequest($"missing value for {field}");
        if (text.Length > 0 && text[0] != '/')
            throw ApiFailure.BadRequest($"JSON pointer \"{text}\" does not start with /");
        return text.Length == 0 ? [] : [.. text[1..].Split('/').Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
    }

    private static JsonNode? Find(JsonNode? root, IEnumerable<string> path)
    {
        foreach (var part in path)
        {
            root = root switch
            {
                JsonObject map when map.ContainsKey(part) => map[part],
                JsonArray list => list[Index(part, list.Count - 1)],
                _ => throw Rejected($"path {part} does not exist"),
            };
        }

        return root;
    }

    private static JsonNode? Add(JsonNode? root, string[] path, JsonNode? value)
    {
        if (path.Length == 0)
            return value;
        switch (Find(root, path[..^1]))
        {
            case JsonObject map:
                map[path[^1]] = value;
                break;
            case JsonArray list when path[^1] == "-":
                list.Add(value);
                break;
            case JsonArray list:
                list.Insert(Index(path[^1], list.Count), value);
                break;
            default:
                throw Rejected($"path {path[^1]} does not exist");
        }

        return root;
    }

    private static void Replace(JsonNode? root, string[] path, JsonNode? value)
    {
        switch (Find(root, path[..^1]))
        {
            case JsonObject map:
                map[path[^1]] = value;
                break;
            case JsonArray list:
                list[Index(path[^1], list.Count - 1)] = value;
                break;
        }
    }

    private static void Remove(JsonNode? root, string[] path)
    {
        _ = Find(root, path);
        switch (path.Length == 0 ? null : Find(root, path[..^1]))
        {
            case JsonObject map:
                map.Remove(path[^1]);
                break;
            case JsonArray list:
                list.RemoveAt(Index(path[^1], list.Count - 1));
                break;
            default:
                throw Rejected("the root cannot be removed");
        }
    }

    private static int Index(string text, int last) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= last
            ? index
            : throw Rejected($"index {text} is outside of the list");

    private static ApiFailure Rejected(string why) =>
        new(422, "Invalid", $"the server rejected our request due to an error in our request: {why}", new JsonObject());
}
