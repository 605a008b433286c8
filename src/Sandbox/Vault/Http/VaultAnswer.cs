using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Vault.Http;

/// <summary>What goes back on the wire: JSON, something raw (a certificate, a revocation list), or nothing but a status.</summary>
internal sealed record VaultAnswer(int Status, JsonNode? Json = null)
{
    public byte[]? Raw { get; init; }

    public string ContentType { get; init; } = "application/json";

    public int? RetryAfter { get; init; }

    /// <summary>Of the token that was asked with, for the audit.</summary>
    public string? Accessor { get; init; }

    public static VaultAnswer Of(VaultFailure failure) => new(
        failure.Code, new JsonObject { ["errors"] = new JsonArray([.. failure.Errors.Select(error => (JsonNode?)error)]) })
    { RetryAfter = failure.RetryAfter };
}
