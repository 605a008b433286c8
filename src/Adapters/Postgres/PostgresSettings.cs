using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Postgres;

/// <summary>Settings that a database or role brings to its sessions, as <c>pg_db_role_setting</c> holds them.</summary>
internal static class PostgresSettings
{
    /// <summary>Their values are lists of names, each quoted on its own; the server does not say which these are, pg_dump has the same table.</summary>
    private static readonly HashSet<string> Lists = new(StringComparer.OrdinalIgnoreCase)
    {
        "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
    };

    /// <summary>Of <c>setconfig</c>. A value that means what is wanted is shown as it is wanted.</summary>
    public static JsonObject Observed(JsonNode? setconfig, JsonNode? wanted)
    {
        var observed = new JsonObject();
        foreach (var (stored, value) in (setconfig as JsonArray ?? []).Select(entry => ((string)entry!).Split('=', 2)).Select(pair => (pair[0], pair[1])))
        {
            var (name, declared) = (wanted as JsonObject ?? []).FirstOrDefault(pair => string.Equals(pair.Key, stored, StringComparison.OrdinalIgnoreCase));
            observed[name ?? stored] = declared is not null && Parts(stored, Text(declared)).SequenceEqual(Parts(stored, value)) ? declared.DeepClone() : value;
        }

        return observed;
    }

    /// <summary>Sets what is wanted and is otherwise, and takes back what we had set and is no longer wanted.</summary>
    /// <param name="kind"><c>DATABASE</c> or <c>ROLE</c>.</param>
    /// <param name="live">Null: nothing is set yet.</param>
    public static async Task ApplyAsync(PostgresSession session, string kind, string name, JsonNode? wanted, ObservedObject? live)
    {
        var there = live?.Manifest["spec"]?["settings"];
        foreach (var (setting, value) in wanted as JsonObject ?? [])
        {
            if (JsonNode.DeepEquals(there?[setting], value))
                continue;
            var parts = Parts(setting, Text(value!));
            await session.DoAsync($"ALTER {kind} %I SET %I = {string.Join(", ", parts.Select(_ => "%L"))}", [name, setting, .. parts]);
        }

        var ours = live is null ? null : ManagedManifest.Of(live.Manifest)?["spec"]?["settings"] as JsonObject;
        foreach (var setting in (ours ?? []).Select(pair => pair.Key).Where(setting => wanted?[setting] is null))
            await session.DoAsync($"ALTER {kind} %I RESET %I", name, setting);
    }

    /// <exception cref="AdapterException">A value is neither a text nor a number: what <c>false</c> is called differs from setting to setting.</exception>
    public static void Check(DeclaredFields fields)
    {
        foreach (var (name, value) in fields.Map("settings"))
            if (value is not JsonValue scalar || scalar.TryGetValue<bool>(out _))
                throw fields.Wrong($"settings.{name}", $"is {value?.ToJsonString() ?? "empty"}: a text or number is expected, such as \"off\"");
    }

    private static string Text(JsonNode value) => value is JsonValue scalar && scalar.TryGetValue<string>(out var text) ? text : value.ToJsonString();

    private static string[] Parts(string setting, string value) => Lists.Contains(setting)
        ? [.. value.Split(',', StringSplitOptions.TrimEntries).Select(part => part is ['"', .. var inner, '"'] ? inner.Replace("\"\"", "\"", StringComparison.Ordinal) : part)]
        : [value];
}
