using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Kubernetes;

namespace PlatformOps.Adapters.Failover;

/// <summary>An object in a cluster that leads to the primary, with the epoch that it is of as annotation. It is changed with the resourceVersion that was read, so that of two epochs the higher one stays.</summary>
/// <param name="collection">The path of its kind in its namespace.</param>
/// <param name="subject">For messages: <c>Endpoints database/postgresql</c>.</param>
/// <param name="confidential">It holds secret values: what the server says of it is not repeated.</param>
internal sealed class EpochObject(KubernetesConnection connection, string collection, string name, string subject, bool confidential = false)
{
    private const string Annotation = "platformops.io/epoch";

    private string Path => $"{collection}/{Uri.EscapeDataString(name)}";

    /// <summary>The object; null: there is none.</summary>
    public async Task<JsonObject?> FindAsync(CancellationToken ct) =>
        await connection.SendAsync(ApiCall.Get(Path, "get", subject) with { Confidential = confidential }, ct) is { Missing: false } found ? found.Body : null;

    /// <summary>The object as an order of an epoch may change it; null: there is none.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is of a higher epoch.</exception>
    public async Task<JsonObject?> FindAsync(long epoch, CancellationToken ct)
    {
        var found = await FindAsync(ct);
        return found is null || Epoch(found) is not (var its and > 0) || its <= epoch ? found
            : throw new AdapterException(AdapterFailureKind.Rejected, $"{subject} in {connection.Region} is of epoch {its}, which is higher than {epoch}: another failover has happened since. Nothing was changed.");
    }

    /// <summary>Changes it, or creates it when it was not there.</summary>
    /// <param name="found">As it was read.</param>
    /// <param name="wanted">What is to be so; when it is created, all of it.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: somebody changed it meanwhile.</exception>
    public async Task WriteAsync(JsonObject? found, JsonObject wanted, long epoch, CancellationToken ct)
    {
        wanted["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["annotations"] = new JsonObject { [Annotation] = epoch.ToString(CultureInfo.InvariantCulture) },
        };
        if (found is not null)
            wanted["metadata"]!["resourceVersion"] = (string?)found["metadata"]?["resourceVersion"];
        var call = found is null
            ? new ApiCall(HttpMethod.Post, collection, "create", subject) { Body = wanted, Confidential = confidential }
            : new ApiCall(HttpMethod.Patch, Path, "patch", subject) { Body = wanted, ContentType = "application/merge-patch+json", Confidential = confidential };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }

    /// <summary>What a failover would need of the API server to change it, and is not allowed, or that it is not there. Changes nothing.</summary>
    /// <param name="mayCreate">Whether it is created when it is not there.</param>
    /// <returns>As sentences; null: nothing is missing.</returns>
    public async Task<string?> MissingAsync(bool mayCreate, CancellationToken ct)
    {
        // /api/v1/namespaces/SPACE/RESOURCE or /apis/GROUP/VERSION/namespaces/SPACE/RESOURCE.
        var parts = collection.Trim('/').Split('/');
        var (group, space, resource) = (parts[0] == "apis" ? parts[1] : "", Uri.UnescapeDataString(parts[^2]), parts[^1]);
        var reviews = new AccessReviews(connection);
        async Task<string?> DeniedAsync(params IEnumerable<string> verbs)
        {
            var denied = new List<string>();
            foreach (var verb in verbs)
            {
                // Who creates something names nothing.
                if (!await reviews.MayAsync(verb, group, resource, space, ct, verb == "create" ? null : name))
                    denied.Add(verb);
            }

            return denied.Count == 0 ? null
                : $"{subject} in {connection.Region}: {string.Join(" and ", denied)} is not allowed (resource {resource}{(group.Length == 0 ? "" : $" of {group}")}, namespace {space}). Bind a role there to the failover workers: docs/runbooks/failover.md, What leads to the primary.";
        }

        if (await DeniedAsync("get", "patch") is { } denied)
            return denied;
        return await FindAsync(ct) is not null ? null
            : mayCreate ? await DeniedAsync("create") : $"{subject} in {connection.Region} is not there. Create it, or take it out of the connections file.";
    }

    /// <summary>0: it is of none.</summary>
    public static long Epoch(JsonObject found) =>
        long.TryParse((string?)found["metadata"]?["annotations"]?[Annotation], CultureInfo.InvariantCulture, out var epoch) ? epoch : 0;
}
