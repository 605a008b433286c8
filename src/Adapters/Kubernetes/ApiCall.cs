using System.Net;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>One call of the Kubernetes API.</summary>
/// <param name="Path">With its query.</param>
/// <param name="Verb">As in RBAC rules: get, list, patch, ...</param>
/// <param name="Subject">What it is about, in words.</param>
internal sealed record ApiCall(HttpMethod Method, string Path, string Verb, string Subject)
{
    public JsonNode? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public string Accept { get; init; } = "application/json";

    /// <summary>The body holds secret values: what the server says of it is not repeated.</summary>
    public bool Confidential { get; init; }

    public static ApiCall Get(string path, string verb, string subject) => new(HttpMethod.Get, path, verb, subject);
}

/// <summary>What came back.</summary>
internal sealed record ApiAnswer(HttpStatusCode Status, JsonObject Body)
{
    /// <summary>The API server itself says that there is no such object. A 404 of anybody else proves nothing.</summary>
    public bool Missing => Status == HttpStatusCode.NotFound && (string?)Body["kind"] == "Status" && (string?)Body["reason"] == "NotFound";
}
