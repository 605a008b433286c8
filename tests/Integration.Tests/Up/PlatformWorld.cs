using System.Text.Json;
using k8s;

namespace PlatformOps.Integration.Tests.Up;

/// <summary>The platform that an <c>up</c> holds, seen through its own APIs.</summary>
internal static class PlatformWorld
{
    private static readonly string[] Listings =
    [
        "api/v1/namespaces", "api/v1/services", "api/v1/configmaps", "api/v1/serviceaccounts", "api/v1/secrets",
        "apis/apps/v1/deployments", "apis/apps/v1/statefulsets", "apis/batch/v1/jobs", "apis/networking.k8s.io/v1/networkpolicies",
    ];

    /// <summary>The uid of each object that PlatformOps manages, by kind and name; empty while the API does not answer.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> UidsAsync(string data, string region = "us-east-1")
    {
        using var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(Path.Combine(data, $"{region}.kubeconfig")));
        var found = new Dictionary<string, string>();
        foreach (var listing in Listings)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get, new Uri(client.BaseUri, $"{listing}?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dplatformops"));
            await client.Credentials.ProcessHttpRequestAsync(request, TestContext.Current.CancellationToken);
            using var response = await client.HttpClient.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, $"{listing}: {response.StatusCode}");
            var list = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            foreach (var metadata in list.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("metadata")))
            {
                var space = metadata.TryGetProperty("namespace", out var name) ? name.GetString() : "";
                found.Add($"{listing} {space}/{metadata.GetProperty("name").GetString()}", metadata.GetProperty("uid").GetString()!);
            }
        }

        return found;
    }
}
