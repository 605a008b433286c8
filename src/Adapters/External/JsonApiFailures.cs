using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.External;

/// <summary>Says what a refusal of a service means, in words that name the service and the next step; never a credential.</summary>
/// <param name="service">With its address.</param>
/// <param name="files">Where its credentials are.</param>
internal sealed class JsonApiFailures(string service, IReadOnlyList<string> files)
{
    private const int LongestSaid = 300;
    private static readonly string[] UnknownCredential = ["token invalid", "invalid token", "invalid access token", "authentication error", "credentials were not provided", "api key"];

    public AdapterException Unreachable(string what, string reason, Exception failure) => new(
        AdapterFailureKind.Unavailable, $"{service} cannot be reached to {what}: {reason.TrimEnd('.')}. Check that it is up and that this machine reaches that address.", failure);

    /// <summary>A proxy, a login page or a page about maintenance answered instead of the API.</summary>
    public AdapterException NoJson(string what, int status) => new(
        AdapterFailureKind.Unavailable,
        $"{service} answered with something else than JSON (HTTP {status}) when asked to {what}: a proxy or a page of its own stands before its API. Check the address in the connections file, and that the API is up.");

    public AdapterException Of(string what, int status, JsonNode? answer, HttpResponseHeaders headers)
    {
        var said = Said(answer) is { Length: > 0 } text ? $": {text.TrimEnd('.')}" : "";
        return status switch
        {
            401 => NotKnown(what, status, said),
            // Some services answer like this to a credential that they do not know.
            403 when SaysUnknown(said) => NotKnown(what, status, said),
            403 => new(AdapterFailureKind.Forbidden, $"{service} does not let us {what} (403){said}. Give the credential in {Files} the right to read it, then retry."),
            429 => new(AdapterFailureKind.Throttled, $"{service} asks us to slow down when asked to {what}{said}.", retryAfter: Wait(headers)),
            409 => new(AdapterFailureKind.Moved, $"{service} did not {what} (409){said}. Observe again."),
            >= 500 => new(AdapterFailureKind.Unavailable, $"{service} is in trouble (HTTP {status}) when asked to {what}{said}."),
            >= 300 and < 400 => NoJson(what, status),
            404 => new(AdapterFailureKind.NotServed, $"{service} has no API to {what} at that address (404): it answered with a page. Correct the address in the connections file."),
            _ => new(AdapterFailureKind.Rejected, $"{service} refuses to {what} (HTTP {status}){said}. Correct what is declared."),
        };
    }

    private string Files => files.Count == 0 ? "the connections file" : string.Join(" and ", files);

    private AdapterException NotKnown(string what, int status, string said) => new(
        AdapterFailureKind.Unauthorized, files.Count == 0
            ? $"{service} wants a credential to {what} ({status}){said}. State a tokenFile for it in the connections file."
            : $"{service} does not accept our credential when asked to {what} ({status}){said}. Renew what is in {Files}, then retry.");

    private static bool SaysUnknown(string said) =>
        Array.Exists(UnknownCredential, words => said.Contains(words, StringComparison.OrdinalIgnoreCase));

    /// <summary>A moment is told by the service's clock, and taken by it: ours may be another.</summary>
    private static TimeSpan? Wait(HttpResponseHeaders headers)
    {
        if (headers.RetryAfter is { } after)
            return after.Delta ?? (after.Date is { } until && headers.Date is { } now && until > now ? until - now : null);
        return headers.TryGetValues("X-RateLimit-Reset", out var values) && int.TryParse(values.First(), CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= 3600
            ? TimeSpan.FromSeconds(seconds)
            : null;
    }

    /// <summary>What the service says itself, wherever it says it.</summary>
    internal static string? Said(JsonNode? answer)
    {
        var text = answer switch
        {
            JsonObject map => Said(map["message"]) ?? Said(map["detail"]) ?? Said(map["title"]) ?? Said(map["reason"]) ?? Said(map["error_description"]) ?? Said(map["error"]) ?? Said(map["errors"]),
            JsonArray list => string.Join("; ", list.Select(Said).OfType<string>()) is { Length: > 0 } all ? all : null,
            JsonValue value when value.TryGetValue<string>(out var words) => words,
            _ => null,
        };
        return text is { Length: > LongestSaid } ? text[..LongestSaid] + "…" : text;
    }
}
