using System.Xml.Linq;
using PlatformOps.Adapters;

namespace PlatformOps.Chaos.Tests;

/// <summary>Calls of the sandbox's AWS, without the product's code.</summary>
internal static class AwsWire
{
    /// <returns>The answer; null when it is empty.</returns>
    public static async Task<XElement?> SendAsync(AwsSettings aws, HttpMethod method, string path, string region, string service, HttpContent? body, CancellationToken ct)
    {
        // The sandbox reads the scope of a signature, and does not check it.
        var key = (await File.ReadAllLinesAsync(aws.CredentialsFile!, ct)).Single(line => line.StartsWith("aws_access_key_id", StringComparison.Ordinal)).Split('=')[1].Trim();
        using var client = new HttpClient { BaseAddress = new(aws.Endpoint!) };
        using var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.Authorization = new("AWS4-HMAC-SHA256", $"Credential={key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0");
        using var answer = await client.SendAsync(request, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        Assert.True(answer.IsSuccessStatusCode, $"{service} {path}: {answer.StatusCode} {text}");
        return text.Length == 0 ? null : XElement.Parse(text);
    }

    public static async Task<XElement> AskAsync(AwsSettings aws, HttpMethod method, string path, string region, string service, HttpContent? body, CancellationToken ct) =>
        (await SendAsync(aws, method, path, region, service, body, ct))!;
}
