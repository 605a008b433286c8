using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>Says what a refusal of Vault means, in words that name the server, the privilege domain and the next step; never a value.</summary>
internal sealed class VaultFailures(VaultOptions options)
{
    /// <summary>Shorter texts (a user name, a flag) are no secrets, and taking them out would make messages unreadable.</summary>
    private const int ShortestSecret = 6;

    /// <summary>How soon a node has usually caught up.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private string Vault => $"Vault at {options.Address.GetLeftPart(UriPartial.Authority)} (domain {options.Domain})";

    public VaultException Unreachable(string reason, Exception failure) => new(
        AdapterFailureKind.Unavailable, VaultTrouble.Unreachable,
        $"{Vault} cannot be reached: {reason.TrimEnd('.')}. Check that it is up and that this machine reaches that address.", 0, [], failure);

    /// <summary>What was asked for has to be there, and is not.</summary>
    public VaultException Absent(VaultCall call) => new(
        AdapterFailureKind.Moved, VaultTrouble.NoRoute, $"{Vault} has nothing to {call.What}: it does not exist, or no longer.", 404, []);

    public VaultException Of(VaultCall call, HttpResponseMessage response, VaultAnswer answer, SecretText? token)
    {
        var errors = answer.Errors.Select(error => Clean(error, call, token)).ToList();
        var said = errors.Count > 0 ? string.Join("; ", errors) : $"HTTP {(int)answer.Status}";
        var (kind, trouble, message) = Judge(call, answer.Status, errors, said);
        var wait = response.Headers.RetryAfter?.Delta ?? (trouble == VaultTrouble.Busy ? Moment : null);
        return new(kind, trouble, message, (int)answer.Status, errors, retryAfter: wait);
    }

    private (AdapterFailureKind Kind, VaultTrouble Trouble, string Message) Judge(VaultCall call, HttpStatusCode status, List<string> errors, string said) => (int)status switch
    {
        503 when Says(errors, "sealed") => (AdapterFailureKind.Unavailable, VaultTrouble.Sealed, $"{Vault} is sealed. Unseal it, then retry."),
        501 => (AdapterFailureKind.Unavailable, VaultTrouble.NotInitialized, $"{Vault} is not initialized. Initialize and unseal it, then retry."),
        472 or 473 or 307 or 308 => Standby(call),
        429 when errors.Count == 0 && call.Path.StartsWith("sys/health", StringComparison.Ordinal) => Standby(call),
        429 => (AdapterFailureKind.Throttled, VaultTrouble.Busy, $"{Vault} asks us to slow down when asked to {call.What}: {said}."),
        412 => (AdapterFailureKind.Throttled, VaultTrouble.Busy, $"{Vault} has not yet seen what was written before, when asked to {call.What}. Wait a moment, then retry."),
        500 or 400 when Says(errors, "local node not active") || Says(errors, "replication DR secondary") => Standby(call),
        401 => NoToken(call),
        403 when Says(errors, "invalid token") || Says(errors, "bad token") => NoToken(call),
        400 when Says(errors, "missing client token") => NoToken(call),
        403 => (AdapterFailureKind.Forbidden, VaultTrouble.Denied,
            $"{Vault} does not let us {call.What} (403): {said}. Grant it in the policy of domain {options.Domain}, or renew its token, then retry."),
        400 when Says(errors, "check-and-set") => (AdapterFailureKind.Moved, VaultTrouble.CheckAndSet,
            $"{Vault} did not {call.What}, because it has another version than the expected one: {said}. Observe again."),
        404 or 405 => (AdapterFailureKind.NotServed, VaultTrouble.NoRoute, $"{Vault} cannot {call.What} (HTTP {(int)status}): {said}. Mount the engine there, or correct the path."),
        >= 500 => (AdapterFailureKind.Unavailable, VaultTrouble.Internal, $"{Vault} is in trouble (HTTP {(int)status}) when asked to {call.What}: {said}."),
        _ => (AdapterFailureKind.Rejected, VaultTrouble.Refused, $"{Vault} refuses to {call.What} (HTTP {(int)status}): {said}. Correct what is asked for."),
    };

    private (AdapterFailureKind, VaultTrouble, string) Standby(VaultCall call) => (AdapterFailureKind.Unavailable, VaultTrouble.Standby,
        $"{Vault} is a standby and cannot {call.What}. Address the active node, or wait until there is one.");

    private (AdapterFailureKind, VaultTrouble, string) NoToken(VaultCall call) => (AdapterFailureKind.Unauthorized, VaultTrouble.InvalidToken,
        $"{Vault} does not accept our token when asked to {call.What}: it is unknown or has expired. Log in again.");

    private static bool Says(List<string> errors, string words) => errors.Any(error => error.Contains(words, StringComparison.OrdinalIgnoreCase));

    /// <summary>An error may repeat what was sent (a connection's address with its password, say). Whatever was sent as a value is taken out, also as
    /// it looks in addresses, JSON and base64.</summary>
    private static string Clean(string error, VaultCall call, SecretText? token)
    {
        var values = Texts(call.Body).Append(token?.Reveal()).Append(call.Token?.Reveal()).OfType<string>()
            .Where(text => text.Length >= ShortestSecret).Distinct().OrderByDescending(text => text.Length);
        foreach (var value in values)
        {
            foreach (var shape in (string[])[value, Uri.EscapeDataString(value), JsonSerializer.Serialize(value)[1..^1], Convert.ToBase64String(Encoding.UTF8.GetBytes(value))])
                error = error.Replace(shape, "(not shown)", StringComparison.Ordinal);
        }

        return error.Replace("\n", " ", StringComparison.Ordinal).Replace("\t", "", StringComparison.Ordinal).Trim();
    }

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(entry => Texts(entry.Value)),
        JsonArray list => list.SelectMany(Texts),
        JsonValue value when value.TryGetValue<string>(out var text) => [text],
        _ => [],
    };
}
