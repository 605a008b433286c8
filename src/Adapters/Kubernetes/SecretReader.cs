using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Reads the values of Secrets: only for who needs them to log in, or to hand them on.</summary>
public sealed class SecretReader(KubernetesConnection connection)
{
    /// <summary>The values by key; null: there is no such Secret.</summary>
    public async Task<IReadOnlyDictionary<string, SecretText>?> FindAsync(string space, string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(
            ApiCall.Get($"/api/v1/namespaces/{space}/secrets/{name}", "get", $"Secret {space}/{name}") with { Confidential = true }, ct);
        return answer.Missing ? null : (answer.Body["data"] as JsonObject ?? []).ToDictionary(
            pair => pair.Key, pair => new SecretText(Encoding.UTF8.GetString(Convert.FromBase64String((string?)pair.Value ?? ""))));
    }
}
