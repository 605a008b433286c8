using System.Text.Json.Nodes;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>The record is a <c>Lease</c> object in a cluster outside both regions, and writes name its <c>resourceVersion</c>. It needs the verbs get, create and patch on
/// leases of its namespace, which must exist.</summary>
/// <remarks>The whole record stands in an annotation; the fields of the Lease's spec say what they can of it to people who look (kubectl get lease).</remarks>
/// <param name="callTimeout">How long a call may take: a fraction of the lease.</param>
/// <param name="name">One for each environment.</param>
/// <param name="time">Default: the system's.</param>
public sealed class KubernetesWitness(KubernetesConnection connection, string space, string name, TimeSpan callTimeout, TimeProvider? time = null) : IWitness
{
    private const string Annotation = "platformops.io/primary";

    private readonly string path = $"/apis/coordination.k8s.io/v1/namespaces/{Uri.EscapeDataString(space)}/leases";

    private string Subject => $"Lease {space}/{name}";

    private string Place => $"{Subject} in {connection.Region}";

    /// <inheritdoc/>
    public async Task<WitnessEntry?> ReadAsync(CancellationToken ct)
    {
        var answer = await SendAsync(ApiCall.Get($"{path}/{Uri.EscapeDataString(name)}", "get", Subject), ct);
        return answer.Missing ? null : Entry(answer.Body);
    }

    /// <inheritdoc/>
    public async Task<WitnessEntry> WriteAsync(WitnessRecord record, string? version, CancellationToken ct)
    {
        // An update would create a lease that is gone, whatever version it names; a patch does not.
        var call = version is null
            ? new ApiCall(HttpMethod.Post, path, "create", Subject)
            : new ApiCall(HttpMethod.Patch, $"{path}/{Uri.EscapeDataString(name)}", "patch", Subject) { ContentType = "application/merge-patch+json" };
        var answer = await SendAsync(call with { Body = Manifest(record, version) }, ct);
        if (!answer.Missing)
            return Entry(answer.Body);
        throw version is null
            ? new AdapterException(AdapterFailureKind.Rejected, $"{Place} cannot be created: the API server does not know namespace {space}. Create it, or correct the witness's configuration.")
            : new AdapterException(AdapterFailureKind.Moved, $"{Place} was deleted by somebody else. Read it again.");
    }

    private async Task<ApiAnswer> SendAsync(ApiCall call, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(callTimeout, time ?? TimeProvider.System);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        try
        {
            return await connection.SendAsync(call, deadline.Token);
        }
        catch (OperationCanceledException gaveUp) when (!ct.IsCancellationRequested)
        {
            throw new AdapterException(
                AdapterFailureKind.Unavailable, $"The Kubernetes API of {connection.Region} did not answer within {callTimeout.TotalMilliseconds:0} ms when asked to {call.Verb} {Subject}.", gaveUp);
        }
    }

    private JsonObject Manifest(WitnessRecord record, string? version) => new()
    {
        ["apiVersion"] = "coordination.k8s.io/v1",
        ["kind"] = "Lease",
        ["metadata"] = Metadata(record, version),
        ["spec"] = new JsonObject
        {
            ["holderIdentity"] = record.Primary,
            ["leaseDurationSeconds"] = (int)Math.Max(1, Math.Ceiling((record.Lease ?? record.Replaced)?.Duration.TotalSeconds ?? 1)),
            ["leaseTransitions"] = (int)Math.Min(int.MaxValue, record.Epoch),
        },
    };

    private JsonObject Metadata(WitnessRecord record, string? version)
    {
        var metadata = new JsonObject { ["name"] = name, ["namespace"] = space, ["annotations"] = new JsonObject { [Annotation] = WitnessText.Write(record) } };
        if (version is not null)
            metadata["resourceVersion"] = version;
        return metadata;
    }

    private WitnessEntry Entry(JsonObject lease) => (string?)lease["metadata"]?["resourceVersion"] is { Length: > 0 } version
        ? new(WitnessText.Read((string?)lease["metadata"]?["annotations"]?[Annotation] ?? "", Place), version)
        : throw new AdapterException(AdapterFailureKind.Unavailable, $"What was answered about {Place} is no answer of an API server.");
}
