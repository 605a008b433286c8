using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>PostgreSQL behind guards, over their HTTPS API with mutual TLS.</summary>
public sealed class GuardedPostgres : IFailoverDatabase, IDisposable
{
    private readonly GuardAccess access;
    private readonly GuardClient client;

    /// <summary>Nothing is called yet.</summary>
    /// <exception cref="AdapterException">The certificates cannot be read.</exception>
    public GuardedPostgres(GuardAccess access) => (this.access, client) = (access, new(access));

    /// <inheritdoc/>
    public Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct) => client.GetAsync<DatabaseNode>(node, "/v1/status", ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> WatchAsync(string node, DatabaseNode? known, TimeSpan patience, CancellationToken ct) => known is null
        ? ObserveAsync(node, ct)
        : client.GetAsync<DatabaseNode>(node, $"/v1/status?known={Uri.EscapeDataString(known.StateText())}&patienceMs={(int)patience.TotalMilliseconds}", ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> FenceAsync(string node, long epoch, TimeSpan drain, CancellationToken ct) =>
        ChangeAsync<DatabaseNode>(node, "fence", new() { Epoch = epoch, DrainMs = (int)drain.TotalMilliseconds }, drain, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> UnfenceAsync(string node, long epoch, CancellationToken ct) => ChangeAsync<DatabaseNode>(node, "unfence", new() { Epoch = epoch }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> PromoteAsync(string node, long epoch, CancellationToken ct) => ChangeAsync<DatabaseNode>(node, "promote", new() { Epoch = epoch }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct) =>
        ChangeAsync<Divergence>(node, "divergence", new() { Epoch = epoch, Primary = primary }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> FollowAsync(string node, string primary, long epoch, CancellationToken ct) =>
        ChangeAsync<DatabaseNode>(node, "follow", new() { Epoch = epoch, Primary = primary }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> SetSynchronousAsync(string node, bool synchronous, long epoch, CancellationToken ct) =>
        ChangeAsync<DatabaseNode>(node, "synchronous", new() { Epoch = epoch, Synchronous = synchronous }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private Task<T> ChangeAsync<T>(string node, string change, GuardOrder order, TimeSpan wait, CancellationToken ct) =>
        client.PostAsync<T>(node, $"/v1/{change}", order, access.ChangeTimeout + wait, ct);
}
