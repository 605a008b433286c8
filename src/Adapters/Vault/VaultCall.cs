using System.Net;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>One call of Vault's API.</summary>
/// <param name="Path">Without <c>/v1/</c>, with its query.</param>
/// <param name="What">What is asked for, in words that hold no secret: <c>read secret/orders/database</c>.</param>
internal sealed record VaultCall(HttpMethod Method, string Path, string What)
{
    private static readonly HttpMethod ListMethod = new("LIST");

    public JsonObject? Body { get; init; }

    /// <summary>What is sent instead of JSON; null: <see cref="Body"/>.</summary>
    public Stream? Content { get; init; }

    /// <summary>How long it may take; null: as every call of the connection.</summary>
    public TimeSpan? Within { get; init; }

    /// <summary>Whether it is made without a token: logins, health.</summary>
    public bool Anonymous { get; init; }

    /// <summary>With this token instead of the connection's.</summary>
    public SecretText? Token { get; init; }

    public static VaultCall Read(string path, string what) => new(HttpMethod.Get, path, what);

    public static VaultCall List(string path, string what) => new(ListMethod, path, what);

    public static VaultCall Write(string path, string what, JsonObject? body = null) => new(HttpMethod.Post, path, what) { Body = body ?? [] };

    public static VaultCall Delete(string path, string what) => new(HttpMethod.Delete, path, what);

    /// <summary>Without body and token.</summary>
    public override string ToString() => $"{Method} {Path}";
}

/// <summary>What came back.</summary>
internal sealed record VaultAnswer(HttpStatusCode Status, JsonObject Body, byte[] Raw)
{
    /// <summary>Vault itself says that there is no such thing: 404 with no errors listed. What was deleted is one too, and still has metadata.</summary>
    public bool Missing => Status == HttpStatusCode.NotFound && Errors.Count == 0 && (Body.ContainsKey("errors") || Body.ContainsKey("data"));

    public IReadOnlyList<string> Errors => [.. (Body["errors"] as JsonArray ?? []).Select(error => (string?)error ?? "")];

    public JsonObject Data => Body["data"] as JsonObject ?? [];

    public JsonObject? Auth => Body["auth"] as JsonObject;

    /// <summary>The names that a list holds; none where there is nothing.</summary>
    public IReadOnlyList<string> Keys => [.. (Data["keys"] as JsonArray ?? []).Select(key => (string)key!)];

    /// <summary>Without content.</summary>
    public override string ToString() => $"HTTP {(int)Status}";
}
