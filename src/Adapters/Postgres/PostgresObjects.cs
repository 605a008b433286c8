using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Postgres;

/// <summary>What a PostgreSQL server holds besides data, as declared objects: databases, roles, replication slots. <c>metadata.name</c> is the name that the server knows it by.</summary>
/// <param name="region">The region whose objects these are.</param>
/// <param name="open">The server; null: there is none yet, so that it has nothing. The caller's to dispose.</param>
public sealed class PostgresObjects(string region, Func<CancellationToken, Task<PostgresServer?>> open) : IDeclaredObjects
{
    private static readonly Dictionary<string, PostgresKind> Kinds = new PostgresKind[] { new DatabaseObjects(), new RoleObjects(), new SlotObjects() }.ToDictionary(kind => kind.Name);

    /// <summary>The names of all kinds.</summary>
    public static IEnumerable<string> AllKinds => Kinds.Keys;

    /// <inheritdoc/>
    public Task<IReadOnlyList<ObjectKind>> ServedAsync(IEnumerable<ObjectKind> kinds, CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<ObjectKind>>([.. kinds.Where(kind => Kinds.ContainsKey(kind.Kind))]);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ObservedObject>> ObserveAsync(
        IReadOnlyCollection<ObjectKind> kinds, IReadOnlyDictionary<string, string> labels, IReadOnlyCollection<DesiredObject> wanted, CancellationToken ct)
    {
        foreach (var item in wanted)
            Of(item.Address).Check(item);
        using var server = await open(ct);
        if (server is null)
            return [];
        return await server.InAsync("list its objects", null, async session =>
        {
            var found = new List<ObservedObject>();
            foreach (var kind in kinds.Select(kind => Of(new(region, kind.ApiVersion, kind.Kind, null, ""))))
            {
                var named = wanted.Where(item => item.Address.Kind == kind.Name).ToDictionary(item => item.Address.Name, item => item.Manifest["spec"] as JsonObject ?? []);
                found.AddRange((await kind.ListAsync(session, region, named))
                    .Where(item => named.ContainsKey(item.Address.Name) || labels.All(label => (string?)item.Manifest["metadata"]!["labels"]![label.Key] == label.Value)));
            }

            return found;
        }, ct);
    }

    /// <inheritdoc/>
    public async Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct)
    {
        using var server = await open(ct);
        return server is null ? null : await server.InAsync($"look at {address}", null, session => FindAsync(session, address), ct);
    }

    /// <summary>Creates an object with its mark; one that this operation has created already is well.</summary>
    public async Task CreateAsync(DesiredObject wanted, CancellationToken ct)
    {
        var kind = Of(wanted.Address);
        kind.Check(wanted);
        try
        {
            await InAsync($"create {wanted.Address}", async session =>
            {
                var live = await FindAsync(session, wanted.Address);
                if (live is null)
                    await kind.CreateAsync(session, wanted);
                else if (!IsCreationOf(live, wanted))
                    throw new AdapterException(AdapterFailureKind.Exists, $"{wanted.Address} exists by now, and this operation did not create it. Observe again.");
            }, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Exists)
        {
            // Perhaps another attempt of ours was still on its way.
            if (await FindAsync(wanted.Address, ct) is not { } live || !IsCreationOf(live, wanted))
                throw;
        }
    }

    /// <inheritdoc/>
    public Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct) => InAsync($"change {wanted.Address}", async session =>
    {
        var now = await SameAsync(session, live, Of(wanted.Address), wanted) ?? throw new AdapterException(AdapterFailureKind.Moved, $"{wanted.Address} is gone. Observe again.");
        await Of(wanted.Address).ChangeAsync(session, wanted, now);
    }, ct);

    /// <inheritdoc/>
    public async Task<string?> WhyKeepAsync(ObservedObject live, IReadOnlyCollection<ObjectKind> kinds, CancellationToken ct)
    {
        string? reason = null;
        await InAsync($"look into {live.Address}", async session => reason = await FindAsync(session, live.Address) is { } now ? await Of(live.Address).WhyKeepAsync(session, now) : null, ct);
        return reason;
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct)
    {
        var existed = false;
        await InAsync($"remove {live.Address}", async session =>
        {
            if (await SameAsync(session, live, Of(live.Address)) is not { } now)
                return;
            await Of(live.Address).DropAsync(session, now);
            existed = true;
        }, ct);
        return existed;
    }

    /// <summary>Nothing to wait for: what was dropped is gone.</summary>
    public Task<ObservedObject?> WaitUntilGoneAsync(ObservedObject live, TimeSpan patience, Action waiting, CancellationToken ct) => Task.FromResult<ObservedObject?>(null);

    private static PostgresKind Of(ResourceAddress address) => Kinds.GetValueOrDefault(address.Kind) ?? throw new AdapterException(
        AdapterFailureKind.NotServed, $"{ResourceAddress.PostgresqlApiVersion} has no kind {address.Kind}; it has {string.Join(", ", Kinds.Keys)}. Correct the catalog.");

    private static bool IsCreationOf(ObservedObject live, DesiredObject wanted) =>
        JsonNode.DeepEquals(live.Manifest["metadata"]!["labels"], wanted.Manifest["metadata"]?["labels"])
        && (string?)live.Manifest["metadata"]!["annotations"]![Ownership.CreatedByAnnotation] is { } operation
        && operation == (string?)wanted.Manifest["metadata"]?["annotations"]?[Ownership.CreatedByAnnotation];

    private async Task<ObservedObject?> FindAsync(PostgresSession session, ResourceAddress address) =>
        (await Of(address).ListAsync(session, region, new Dictionary<string, JsonObject>())).FirstOrDefault(item => item.Address == address);

    /// <summary>The object that was observed, as it is now.</summary>
    /// <exception cref="AdapterException">It is another one, or no longer says that it is ours.</exception>
    private async Task<ObservedObject?> SameAsync(PostgresSession session, ObservedObject live, PostgresKind kind, DesiredObject? wanted = null)
    {
        var named = wanted is null ? [] : new Dictionary<string, JsonObject> { [wanted.Address.Name] = wanted.Manifest["spec"] as JsonObject ?? [] };
        if ((await kind.ListAsync(session, region, named)).FirstOrDefault(item => item.Address == live.Address) is not { } now)
            return null;
        return JsonNode.DeepEquals(now.Manifest["metadata"]!["uid"], live.Manifest["metadata"]!["uid"]) && JsonNode.DeepEquals(now.Manifest["metadata"]!["labels"], live.Manifest["metadata"]!["labels"])
            ? now
            : throw new AdapterException(AdapterFailureKind.Moved, $"{live.Address} is another one than was observed, or another's by now. Observe again.");
    }

    private async Task InAsync(string what, Func<PostgresSession, Task> work, CancellationToken ct)
    {
        using var server = await open(ct) ?? throw new AdapterException(AdapterFailureKind.Unavailable, $"There is no PostgreSQL in {region} yet to {what}. Its component has to be provisioned first (dependsOn).");
        await server.InAsync(what, null, async session =>
        {
            await work(session);
            return true;
        }, ct);
    }
}
