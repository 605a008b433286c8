using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Access;

/// <summary>What was handed out for a time, and is taken back at its end.</summary>
internal sealed class LeaseStore(VaultStorage storage, TimeProvider time)
{
    private const string Prefix = "lease/";

    /// <summary>Finds the engine that answers for a mount.</summary>
    public Func<string, IEngine?> EngineOf { get; set; } = _ => null;

    /// <summary>The earliest end of a lease.</summary>
    public DateTimeOffset? NextEnd => Ids.Min(id => storage.Get(Prefix + id)!.Moment("expires"));

    private IEnumerable<string> Ids => storage.Under(Prefix).Select(path => path[Prefix.Length..]);

    /// <param name="path">That was read; the lease's id begins with it.</param>
    public string Create(string path, string mount, string token, LeaseOffer offer)
    {
        var now = time.GetUtcNow();
        var id = $"{path}/{TokenStore.Random(24)}";
        storage.Put(Prefix + id, new()
        {
            ["mount"] = mount,
            ["token"] = token,
            ["issued"] = VaultFields.Time(now),
            ["expires"] = VaultFields.Time(now + offer.Ttl),
            ["ttl"] = VaultFields.Seconds(offer.Ttl),
            ["max_ttl"] = VaultFields.Seconds(offer.MaxTtl),
            ["last_renewal"] = null,
            ["remembered"] = offer.Remembered.DeepClone(),
        });
        return id;
    }

    public JsonObject Describe(string id)
    {
        var lease = storage.Get(Prefix + id) ?? throw VaultFailure.Rejected("invalid lease");
        return new()
        {
            ["id"] = id,
            ["issue_time"] = lease.String("issued"),
            ["expire_time"] = lease.String("expires"),
            ["last_renewal"] = lease.String("last_renewal"),
            ["renewable"] = true,
            ["ttl"] = VaultFields.Seconds(lease.Moment("expires")!.Value - time.GetUtcNow()),
        };
    }

    /// <returns>How long it lives from now: not beyond its maximum.</returns>
    public async Task<TimeSpan> RenewAsync(string id, TimeSpan increment, CancellationToken ct)
    {
        var lease = storage.Get(Prefix + id) ?? throw VaultFailure.Rejected("lease not found");
        var now = time.GetUtcNow();
        var ttl = increment > TimeSpan.Zero ? increment : lease.Duration("ttl")!.Value;
        var limit = lease.Moment("issued")!.Value + lease.Duration("max_ttl")!.Value;
        var until = now + ttl < limit ? now + ttl : limit;
        if (EngineOf(lease.String("mount")!) is { } engine)
            await engine.RenewAsync(lease["remembered"]!.AsObject(), until, ct);
        (lease["expires"], lease["last_renewal"]) = (VaultFields.Time(until), VaultFields.Time(now));
        storage.Put(Prefix + id, lease);
        return until - now;
    }

    /// <summary>Takes one back. One that is already gone is no failure.</summary>
    public async Task RevokeAsync(string id, CancellationToken ct)
    {
        if (storage.Get(Prefix + id) is not { } lease)
            return;
        if (EngineOf(lease.String("mount")!) is { } engine)
            await engine.RevokeAsync(lease["remembered"]!.AsObject(), ct);
        storage.Remove(Prefix + id);
    }

    public Task RevokeOfAsync(string token, CancellationToken ct) => RevokeAllAsync(id => storage.Get(Prefix + id)!.String("token") == token, ct);

    public Task RevokeUnderAsync(string path, CancellationToken ct) => RevokeAllAsync(id => id.StartsWith(path, StringComparison.Ordinal), ct);

    public IEnumerable<string> Names(string path) => storage.Names(Prefix + path);

    /// <summary>Takes back what is over. What cannot be taken back now stays, and is tried again at the next occasion.</summary>
    public async Task ExpireAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        foreach (var id in Ids.Where(id => storage.Get(Prefix + id)!.Moment("expires") <= now).ToList())
        {
            try
            {
                await RevokeAsync(id, ct);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                continue;
            }
        }
    }

    private async Task RevokeAllAsync(Func<string, bool> which, CancellationToken ct)
    {
        foreach (var id in Ids.Where(which).ToList())
            await RevokeAsync(id, ct);
    }
}
