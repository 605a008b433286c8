using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>Reads and makes what Vault speaks.</summary>
internal static class VaultJson
{
    public static JsonArray Array(IEnumerable<string> items) => new([.. items.Select(item => (JsonNode?)item)]);

    public static string Text(this JsonObject data, string name) => data[name]?.ToString() ?? "";

    public static SecretText Secret(this JsonObject data, string name) => new(data.Text(name));

    public static int Integer(this JsonObject data, string name) => data[name] is { } number ? (int)number : 0;

    public static TimeSpan Seconds(this JsonObject data, string name) => TimeSpan.FromSeconds(data[name] is { } number ? (long)number : 0);

    public static bool Flag(this JsonObject data, string name) => data[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    /// <summary>A list, which may come as a text with commas.</summary>
    public static IReadOnlyList<string> Words(this JsonObject data, string name) => data[name] switch
    {
        JsonArray list => [.. list.Select(item => (string)item!)],
        JsonValue text => ((string)text!).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        _ => [],
    };

    /// <summary>Null for "not yet".</summary>
    public static DateTimeOffset? Moment(this JsonObject data, string name) =>
        DateTimeOffset.TryParse(data.Text(name), System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var at) && at.Year > 1 ? at : null;

    public static string Duration(TimeSpan duration) => $"{(long)duration.TotalSeconds}s";

    /// <summary>A path of names that may hold anything: each part escaped, slashes kept.</summary>
    public static string Path(string path) => string.Join('/', path.Trim('/').Split('/').Select(Uri.EscapeDataString));

    public static VaultLogin Login(JsonObject auth) => new(
        auth.Secret("client_token"), auth.Text("accessor"), auth.Seconds("lease_duration"), (bool?)auth["renewable"] == true, auth.Words("policies"));
}
