using System.Net;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Says what a refusal of the Kubernetes API means, in words that name region, context, address and the next step.</summary>
internal sealed class KubernetesFailures(KubernetesAccount account)
{
    private string Cluster => $"The Kubernetes API of {account.Region} ({account.Address}, context {account.Context})";

    public AdapterException Unreachable(string reason, Exception failure) => new(
        AdapterFailureKind.Unavailable,
        $"{Cluster} cannot be reached: {reason.TrimEnd('.')}. Check that the cluster is up and that this machine reaches that address.", failure);

    public AdapterException NotServed(string apiVersion, string kind) => new(
        AdapterFailureKind.NotServed,
        $"{Cluster} does not serve {kind} of {apiVersion}. Upgrade the cluster, or install what defines it (kubectl api-resources lists what is served).");

    /// <summary>Somebody else made the object after we had looked.</summary>
    public AdapterException Appeared(string subject, string by) => new(
        AdapterFailureKind.Moved, $"{subject} in {account.Region} was created by {by} at the same moment. It was left to them; observe and plan again.");

    public AdapterException Of(ApiCall call, HttpResponseMessage response, ApiAnswer answer)
    {
        var reason = (string?)answer.Body["reason"];
        var said = call.Confidential ? reason ?? "no reason given" : (string?)answer.Body["message"] ?? reason ?? $"HTTP {(int)answer.Status}";
        said = said.TrimEnd('.');
        var (kind, message) = answer.Status switch
        {
            HttpStatusCode.Unauthorized => (AdapterFailureKind.Unauthorized,
                $"{Cluster} does not know who we are (401 Unauthorized): the token or certificate is wrong or has expired. Renew the credentials in {account.Source}, then retry."),
            HttpStatusCode.Forbidden when HasCause(answer, "NamespaceTerminating") => (AdapterFailureKind.Moved,
                $"{call.Subject} in {account.Region}: its namespace is being deleted. Wait until it is gone, then retry."),
            HttpStatusCode.Forbidden => (AdapterFailureKind.Forbidden,
                $"{Cluster} does not let us {call.Verb} {call.Subject} (403 Forbidden): {said}. Grant it to the user of this context, or remove what forbids it, then retry."),
            HttpStatusCode.Conflict when HasCause(answer, "FieldManagerConflict") => (AdapterFailureKind.Conflict,
                $"{call.Subject} in {account.Region}: {string.Join("; ", ManagerConflicts(answer))}. Let its owner give the field up, or specify its value."),
            HttpStatusCode.Conflict or HttpStatusCode.Gone or HttpStatusCode.PreconditionFailed => (AdapterFailureKind.Moved,
                $"{call.Subject} in {account.Region} changed while it was worked on: {said}."),
            HttpStatusCode.TooManyRequests => (AdapterFailureKind.Throttled, $"{Cluster} asks us to slow down: {said}."),
            HttpStatusCode.RequestTimeout => (AdapterFailureKind.Unavailable, $"{Cluster} timed out when asked to {call.Verb} {call.Subject}."),
            >= HttpStatusCode.InternalServerError => (AdapterFailureKind.Unavailable,
                $"{Cluster} is in trouble (HTTP {(int)answer.Status}) when asked to {call.Verb} {call.Subject}: {said}."),
            HttpStatusCode.NotFound => (AdapterFailureKind.Unavailable,
                $"{Cluster} answers HTTP 404 to {call.Verb} {call.Subject}, but not as an API server does. Check that the address is an API server's."),
            _ => (AdapterFailureKind.Rejected,
                $"{Cluster} rejects {call.Subject} (HTTP {(int)answer.Status}): {Fields(call, answer, said)}. Correct the specification or the catalog."),
        };
        return new(kind, message, retryAfter: RetryAfter(response, answer));
    }

    /// <summary>What was to be changed is in a namespace that does not exist, or is not there itself.</summary>
    public AdapterException Absent(ApiCall call, ApiAnswer answer) => new(
        AdapterFailureKind.Moved, $"{call.Subject} in {account.Region} cannot be written: {(string?)answer.Body["message"] ?? "not found"}.");

    private static IEnumerable<JsonObject> Causes(ApiAnswer answer) => (answer.Body["details"]?["causes"] as JsonArray ?? []).OfType<JsonObject>();

    private static bool HasCause(ApiAnswer answer, string reason) => Causes(answer).Any(cause => (string?)cause["reason"] == reason);

    private static IEnumerable<string> ManagerConflicts(ApiAnswer answer) => Causes(answer)
        .Where(cause => (string?)cause["reason"] == "FieldManagerConflict")
        // "conflict with "kubectl-scale" using apps/v1"
        .Select(cause => $"{((string?)cause["field"])?.TrimStart('.')} is owned by {((string?)cause["message"])?.Split('"').ElementAtOrDefault(1) ?? "another manager"}");

    private static string Fields(ApiCall call, ApiAnswer answer, string said)
    {
        var fields = Causes(answer)
            .Select(cause => call.Confidential ? $"{cause["field"]}: {cause["reason"]}" : $"{cause["field"]}: {cause["message"]}")
            .ToList();
        return fields.Count > 0 ? string.Join("; ", fields) : said;
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response, ApiAnswer answer)
    {
        if (response.Headers.RetryAfter?.Delta is { } delta)
            return delta;
        return (int?)answer.Body["details"]?["retryAfterSeconds"] is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
    }
}
