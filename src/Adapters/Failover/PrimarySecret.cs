using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Kubernetes;

namespace PlatformOps.Adapters.Failover;

/// <summary>A Secret from which clients have where the primary is. Its other keys (the login, say) are neither changed nor repeated anywhere.</summary>
public sealed class PrimarySecret(KubernetesConnection connection, SecretPointer pointer)
{
    private readonly EpochObject secret = new(
        connection, $"/api/v1/namespaces/{Uri.EscapeDataString(pointer.Namespace)}/secrets", pointer.Name, $"Secret {pointer.Namespace}/{pointer.Name}", confidential: true);

    /// <summary>The host and port that it names, and of which epoch it is; null and 0: it is not there.</summary>
    public async Task<(string? Address, long Epoch)> ReadAsync(CancellationToken ct) =>
        await secret.FindAsync(ct) is { } found ? ($"{Text(found, pointer.HostKey)}:{Text(found, pointer.PortKey)}", EpochObject.Epoch(found)) : (null, 0);

    /// <summary>What keeps a failover from changing it: a permission, or that it is not there; null: nothing. Changes nothing.</summary>
    public Task<string?> MissingAsync(CancellationToken ct) => secret.MissingAsync(mayCreate: false, ct);

    /// <summary>Names another host and port.</summary>
    /// <param name="address"><c>host:port</c>.</param>
    /// <returns>False when it was so already.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is of a higher epoch, or there is no such Secret. <see cref="AdapterFailureKind.Moved"/>: somebody changed it meanwhile.</exception>
    public async Task<bool> LeadToAsync(string address, long epoch, CancellationToken ct)
    {
        var found = await secret.FindAsync(epoch, ct)
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"There is no Secret {pointer.Namespace}/{pointer.Name} in {connection.Region}, which is to name the primary. Create it, or take it out of secrets in the connections file.");
        if (EpochObject.Epoch(found) == epoch && $"{Text(found, pointer.HostKey)}:{Text(found, pointer.PortKey)}" == address)
            return false;
        var colon = address.LastIndexOf(':');
        await secret.WriteAsync(found, new() { ["data"] = new JsonObject { [pointer.HostKey] = Encoded(address[..colon].Trim('[', ']')), [pointer.PortKey] = Encoded(address[(colon + 1)..]) } }, epoch, ct);
        return true;
    }

    private static string Text(JsonObject found, string key)
    {
        try
        {
            return (string?)found["data"]?[key] is { } encoded ? Encoding.UTF8.GetString(Convert.FromBase64String(encoded)) is var text && text.Contains(':', StringComparison.Ordinal) ? $"[{text}]" : text : "";
        }
        catch (FormatException)
        {
            return "";
        }
    }

    private static string Encoded(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
