using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Kubernetes;

namespace PlatformOps.Adapters.Failover;

/// <summary>Endpoints of a Service without selector that lead to the primary, with the epoch that they are of as annotation. They are changed with the resourceVersion
/// that was read, so that of two epochs the higher one stays.</summary>
public sealed class PrimaryEndpoints(KubernetesConnection connection, string space, string name)
{
    private const string Annotation = "platformops.io/epoch";

    private readonly string path = $"/api/v1/namespaces/{Uri.EscapeDataString(space)}/endpoints";

    private string Subject => $"Endpoints {space}/{name}";

    /// <summary>Where it leads, and of which epoch it is; null and 0: it is not there.</summary>
    public async Task<(string? Address, long Epoch)> ReadAsync(CancellationToken ct)
    {
        var found = await connection.SendAsync(ApiCall.Get($"{path}/{Uri.EscapeDataString(name)}", "get", Subject), ct);
        if (found.Missing)
            return (null, 0);
        var subset = found.Body["subsets"] is JsonArray { Count: > 0 } subsets ? subsets[0] : null;
        var (ip, port) = ((string?)subset?["addresses"]?[0]?["ip"], (int?)subset?["ports"]?[0]?["port"]);
        return (ip is not null && port is { } number && IPAddress.TryParse(ip, out var address) ? $"{new IPEndPoint(address, number)}" : null, Epoch(found.Body));
    }

    /// <summary>Leads to an address.</summary>
    /// <param name="address">An IP address and port.</param>
    /// <returns>False when it was so already.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is of a higher epoch. <see cref="AdapterFailureKind.Moved"/>: somebody changed it meanwhile.</exception>
    public async Task<bool> LeadToAsync(string address, long epoch, CancellationToken ct)
    {
        if (!IPEndPoint.TryParse(address, out var target) || target.Port == 0)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{Subject} cannot lead to '{address}': Endpoints need an IP address and port. Correct the node's clients in the connections file.");
        var found = await connection.SendAsync(ApiCall.Get($"{path}/{Uri.EscapeDataString(name)}", "get", Subject), ct);
        if (!found.Missing && Epoch(found.Body) is var its && its > epoch)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{Subject} in {connection.Region} is of epoch {its}, which is higher than {epoch}: another failover has happened since. Nothing was changed.");
        var subsets = new JsonArray(new JsonObject
        {
            ["addresses"] = new JsonArray(new JsonObject { ["ip"] = $"{target.Address}" }),
            ["ports"] = new JsonArray(new JsonObject { ["port"] = target.Port, ["name"] = "postgresql", ["protocol"] = "TCP" }),
        });
        if (!found.Missing && Epoch(found.Body) == epoch && JsonNode.DeepEquals(found.Body["subsets"], subsets))
            return false;
        var manifest = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Endpoints",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["annotations"] = new JsonObject { [Annotation] = epoch.ToString(CultureInfo.InvariantCulture) },
            },
            ["subsets"] = subsets,
        };
        if (!found.Missing)
            manifest["metadata"]!["resourceVersion"] = (string?)found.Body["metadata"]?["resourceVersion"];
        await connection.SendAsync(
            found.Missing
                ? new ApiCall(HttpMethod.Post, path, "create", Subject) { Body = manifest }
                : new ApiCall(HttpMethod.Patch, $"{path}/{Uri.EscapeDataString(name)}", "patch", Subject) { Body = manifest, ContentType = "application/merge-patch+json" }, ct);
        return true;
    }

    private static long Epoch(JsonObject endpoints) =>
        long.TryParse((string?)endpoints["metadata"]?["annotations"]?[Annotation], CultureInfo.InvariantCulture, out var epoch) ? epoch : 0;
}
