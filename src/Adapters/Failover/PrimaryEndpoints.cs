using System.Net;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Kubernetes;

namespace PlatformOps.Adapters.Failover;

/// <summary>Endpoints of a Service without selector that lead to the primary.</summary>
public sealed class PrimaryEndpoints(KubernetesConnection connection, string space, string name)
{
    private readonly EpochObject endpoints = new(connection, $"/api/v1/namespaces/{Uri.EscapeDataString(space)}/endpoints", name, $"Endpoints {space}/{name}");

    /// <summary>Where it leads, and of which epoch it is; null and 0: it is not there.</summary>
    public async Task<(string? Address, long Epoch)> ReadAsync(CancellationToken ct)
    {
        if (await endpoints.FindAsync(ct) is not { } found)
            return (null, 0);
        var subset = found["subsets"] is JsonArray { Count: > 0 } subsets ? subsets[0] : null;
        var (ip, port) = ((string?)subset?["addresses"]?[0]?["ip"], (int?)subset?["ports"]?[0]?["port"]);
        return (ip is not null && port is { } number && IPAddress.TryParse(ip, out var address) ? $"{new IPEndPoint(address, number)}" : null, EpochObject.Epoch(found));
    }

    /// <summary>What keeps a failover from changing it: a permission, or that it is not there; null: nothing. Changes nothing.</summary>
    public Task<string?> MissingAsync(CancellationToken ct) => endpoints.MissingAsync(mayCreate: true, ct);

    /// <summary>Leads to an address.</summary>
    /// <param name="address">An IP address and port.</param>
    /// <returns>False when it was so already.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is of a higher epoch. <see cref="AdapterFailureKind.Moved"/>: somebody changed it meanwhile.</exception>
    public async Task<bool> LeadToAsync(string address, long epoch, CancellationToken ct)
    {
        if (!IPEndPoint.TryParse(address, out var target) || target.Port == 0)
            throw new AdapterException(AdapterFailureKind.Rejected, $"Endpoints {space}/{name} cannot lead to '{address}': Endpoints need an IP address and port. Correct the node's clients in the connections file.");
        var found = await endpoints.FindAsync(epoch, ct);
        var subsets = new JsonArray(new JsonObject
        {
            ["addresses"] = new JsonArray(new JsonObject { ["ip"] = $"{target.Address}" }),
            ["ports"] = new JsonArray(new JsonObject { ["port"] = target.Port, ["name"] = "postgresql", ["protocol"] = "TCP" }),
        });
        if (found is not null && EpochObject.Epoch(found) == epoch && JsonNode.DeepEquals(found["subsets"], subsets))
            return false;
        await endpoints.WriteAsync(found, new() { ["apiVersion"] = "v1", ["kind"] = "Endpoints", ["subsets"] = subsets }, epoch, ct);
        return true;
    }
}
