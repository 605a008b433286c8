using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Temporal;

/// <summary>The namespaces of the platform's own Temporal, as declared objects.</summary>
/// <param name="frontend">The Service of its frontend, for messages.</param>
/// <param name="exists">Whether the cluster has that Service: only that proves that there are no namespaces yet. A frontend that is merely out of reach proves nothing.</param>
public sealed class NamespaceObjects(TemporalCluster cluster, string frontend, Func<CancellationToken, Task<bool>> exists) : IDeclaredObjects
{
    private readonly TemporalNamespaces namespaces = new(cluster);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ObjectKind>> ServedAsync(IEnumerable<ObjectKind> kinds, CancellationToken ct) => Task.FromResult<IReadOnlyList<ObjectKind>>([.. kinds]);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ObservedObject>> ObserveAsync(
        IReadOnlyCollection<ObjectKind> kinds, IReadOnlyDictionary<string, string> labels, IReadOnlyCollection<DesiredObject> wanted, CancellationToken ct)
    {
        if (!await exists(ct))
            return [];
        try
        {
            return await namespaces.ListAsync(ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            throw new AdapterException(
                AdapterFailureKind.Unavailable,
                $"{failure.Message} Service {frontend} exists, so that Temporal may have namespaces which cannot be seen now. "
                + "Bring it up first, if need be by provisioning its components alone (field 'components').",
                failure);
        }
    }

    /// <inheritdoc/>
    public async Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct) => (await namespaces.ListAsync(ct)).FirstOrDefault(item => item.Address == address);

    /// <inheritdoc/>
    public Task CreateAsync(DesiredObject wanted, CancellationToken ct) => namespaces.RegisterAsync(wanted.Manifest, ct);

    /// <inheritdoc/>
    public Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct) => namespaces.UpdateAsync(wanted.Manifest, live.Manifest, ct);

    /// <inheritdoc/>
    public JsonObject? Declaration(ObservedObject live) => ManagedManifest.Whole(live.Manifest);

    /// <summary>Deleting a namespace deletes the executions in it, and those are not ours.</summary>
    public async Task<string?> WhyKeepAsync(ObservedObject live, IReadOnlyCollection<ObjectKind> kinds, CancellationToken ct) =>
        await namespaces.CountExecutionsAsync(live.Address.Name, ct) is > 0 and var executions
            ? $"{live.Address} holds {executions} workflow executions, which would be deleted with it. Move or delete them and retry, or skip the step to keep it."
            : null;

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct)
    {
        await namespaces.DeleteAsync(live, ct);
        return true;
    }

    /// <summary>Nothing to wait for: a namespace loses its name in the moment of its deletion.</summary>
    public Task<ObservedObject?> WaitUntilGoneAsync(ObservedObject live, TimeSpan patience, Action waiting, CancellationToken ct) => Task.FromResult<ObservedObject?>(null);
}
