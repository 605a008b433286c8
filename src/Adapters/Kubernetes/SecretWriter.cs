using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Changes values of Secrets that exist.</summary>
public sealed class SecretWriter(KubernetesConnection connection)
{
    /// <summary>Sets some keys and leaves the others. The same values again change nothing.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Missing"/>: there is no such Secret.</exception>
    public async Task SetAsync(string space, string name, IReadOnlyDictionary<string, SecretText> values, CancellationToken ct)
    {
        var call = new ApiCall(HttpMethod.Patch, $"/api/v1/namespaces/{space}/secrets/{name}?fieldManager={Ownership.FieldManager}", "patch", $"Secret {space}/{name}")
        {
            Body = new JsonObject
            {
                ["data"] = new JsonObject(values.Select(value => KeyValuePair.Create(value.Key, (JsonNode?)Convert.ToBase64String(Encoding.UTF8.GetBytes(value.Value.Reveal()))))),
            },
            ContentType = "application/merge-patch+json",
            Confidential = true,
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }
}
