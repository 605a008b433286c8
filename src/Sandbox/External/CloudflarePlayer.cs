using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>Cloudflare's API (v4), for zones and batches of changes of their DNS records. The zones are those that it was told to have; their records come and go by calls.</summary>
/// <param name="file">Where they are kept; null: in memory.</param>
internal sealed class CloudflarePlayer(string? file) : IExternalService
{
    private static readonly string[] Addresses = ["A", "AAAA", "CNAME"];
    private readonly Lock gate = new();
    private readonly Dictionary<string, DateTimeOffset> came = [];
    private readonly Dictionary<string, (string Name, List<JsonObject> Records)> zones = Kept(file);

    /// <summary>How long new records are missing from lists.</summary>
    public TimeSpan ListLag { get; set; }

    public void AddZone(string name)
    {
        lock (gate)
        {
            if (zones.Values.Any(zone => zone.Name == name))
                return;
            zones[Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))] = (name, []);
            Keep();
        }
    }

    public ExternalAnswer? Refuse(ExternalCall call, string token) => call.Credential("Authorization") == token ? null : Error(403, 9109, "Invalid access token");

    public ExternalAnswer? Answer(ExternalCall call)
    {
        lock (gate)
        {
            return (call.Method, call.Path) switch
            {
                ("GET", ["client", "v4", "zones"]) => Page(call, zones.Select(zone => new JsonObject { ["id"] = zone.Key, ["name"] = zone.Value.Name, ["status"] = "active" })),
                (_, ["client", "v4", "zones", var id, ..]) when !zones.ContainsKey(id) => Error(404, 7003, $"Could not route to /zones/{id}, perhaps your object identifier is invalid?"),
                ("GET", ["client", "v4", "zones", var id, "dns_records"]) => Page(call, zones[id].Records.Where(record => !came.TryGetValue((string)record["id"]!, out var at) || at + ListLag <= TimeProvider.System.GetUtcNow())),
                ("POST", ["client", "v4", "zones", var id, "dns_records", "batch"]) => Batch(id, call.Body as JsonObject ?? []),
                _ => null,
            };
        }
    }

    private ExternalAnswer Batch(string zone, JsonObject body)
    {
        var (name, before) = zones[zone];
        var records = before.ToList();
        // In Cloudflare's order; nothing counts when one of them is refused.
        foreach (var delete in Items(body, "deletes"))
            if (records.RemoveAll(record => (string?)record["id"] == (string?)delete["id"]) == 0)
                return Error(404, 81044, "Record does not exist.");
        foreach (var put in Items(body, "puts"))
        {
            if (records.RemoveAll(record => (string?)record["id"] == (string?)put["id"]) == 0)
                return Error(404, 81044, "Record does not exist.");
            if (Add(records, put, (string)put["id"]!) is { } refusal)
                return refusal;
        }

        foreach (var post in Items(body, "posts"))
            if (Add(records, post, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))) is { } refusal)
                return refusal;
        zones[zone] = (name, records);
        foreach (var record in records.Except(before).Where(record => before.All(old => (string?)old["id"] != (string?)record["id"])))
            came[(string)record["id"]!] = TimeProvider.System.GetUtcNow();
        Keep();
        return Success(new JsonObject { ["deletes"] = Copy(body, "deletes"), ["puts"] = Copy(body, "puts"), ["posts"] = Copy(body, "posts") });
    }

    private static Dictionary<string, (string Name, List<JsonObject> Records)> Kept(string? file) => file is null || !File.Exists(file)
        ? []
        : ((JsonObject)JsonNode.Parse(File.ReadAllText(file))!).ToDictionary(
            zone => zone.Key, zone => ((string)zone.Value!["name"]!, zone.Value!["records"]!.AsArray().Select(record => (JsonObject)record!.DeepClone()).ToList()));

    /// <summary>Whole or not at all: a process may end at any moment.</summary>
    private void Keep()
    {
        if (file is null)
            return;
        var all = new JsonObject(zones.Select(zone => KeyValuePair.Create(
            zone.Key, (JsonNode?)new JsonObject { ["name"] = zone.Value.Name, ["records"] = new JsonArray([.. zone.Value.Records.Select(record => record.DeepClone())]) })));
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText($"{file}.new", all.ToJsonString());
        File.Move($"{file}.new", file, overwrite: true);
    }

    private static ExternalAnswer? Add(List<JsonObject> records, JsonObject fields, string id)
    {
        var same = records.Where(record => (string?)record["name"] == (string?)fields["name"]).ToList();
        var type = (string?)fields["type"] ?? "";
        if (Addresses.Contains(type) && same.Any(record => Addresses.Contains((string?)record["type"]) && (type == "CNAME" || (string?)record["type"] == "CNAME")))
            return Error(400, 81053, "An A, AAAA, or CNAME record with that host already exists.");
        if (same.Any(record => (string?)record["type"] == type && (string?)record["content"] == (string?)fields["content"]))
            return Error(400, 81058, "An identical record already exists.");
        records.Add(fields.Over(new() { ["ttl"] = 1, ["proxied"] = false, ["proxiable"] = Addresses.Contains(type) }).Over(new() { ["id"] = id }));
        return null;
    }

    private static ExternalAnswer Page(ExternalCall call, IEnumerable<JsonObject> all)
    {
        var (size, page) = (int.Parse(call.Query("per_page") ?? "100", null), int.Parse(call.Query("page") ?? "1", null));
        return Success(new JsonArray([.. all.Skip((page - 1) * size).Take(size).Select(item => item.DeepClone())]));
    }

    private static IEnumerable<JsonObject> Items(JsonObject body, string field) => (body[field] as JsonArray ?? []).OfType<JsonObject>();

    private static JsonNode Copy(JsonObject body, string field) => body[field]?.DeepClone() ?? new JsonArray();

    private static ExternalAnswer Success(JsonNode result) =>
        ExternalAnswer.Ok(new JsonObject { ["success"] = true, ["errors"] = new JsonArray(), ["messages"] = new JsonArray(), ["result"] = result });

    private static ExternalAnswer Error(int status, int code, string message) => ExternalAnswer.Refusal(status, new JsonObject
    {
        ["success"] = false,
        ["errors"] = new JsonArray(new JsonObject { ["code"] = code, ["message"] = message }),
        ["messages"] = new JsonArray(),
        ["result"] = null,
    });
}
