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

    /// <summary>0: it is of none.</summary>
    public static long Epoch(JsonObject found) =>
        long.TryParse((string?)found["metadata"]?["annotations"]?[Annotation], CultureInfo.InvariantCulture, out var epoch) ? epoch : 0;
}
