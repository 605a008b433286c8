using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Access;

/// <summary>The tokens: given, renewed, revoked with everything that hangs on them.</summary>
internal sealed class TokenStore(VaultStorage storage, LeaseStore leases, TimeProvider time)
{
    private const string Prefix = "token/";
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>Vault's own limit and default: 32 days.</summary>
    public static readonly TimeSpan SystemTtl = TimeSpan.FromDays(32);

    public static string Random(int length) => RandomNumberGenerator.GetString(Letters, length);

    public IEnumerable<TokenEntry> All => storage.Under(Prefix).Select(path => new TokenEntry(storage.Get(path)!));

    /// <summary>The earliest end of a token.</summary>
    public DateTimeOffset? NextEnd => All.Min(token => token.Expires);

    public TokenEntry? Find(string id) => storage.Get(Prefix + id) is { } stored && new TokenEntry(stored) is var token && !IsOver(token) ? token : null;

    public TokenEntry? FindByAccessor(string accessor) => All.FirstOrDefault(token => token.Accessor == accessor && !IsOver(token));

    public TokenEntry Create(NewToken wanted)
    {
        var now = time.GetUtcNow();
        var root = wanted.Policies.Contains("root");
        var ttl = wanted.Period > TimeSpan.Zero ? wanted.Period : wanted.Ttl > TimeSpan.Zero ? wanted.Ttl : root ? TimeSpan.Zero : SystemTtl;
        var limit = wanted.MaxTtl > TimeSpan.Zero && wanted.MaxTtl < SystemTtl ? wanted.MaxTtl : SystemTtl;
        if (wanted.Period == TimeSpan.Zero && ttl > limit)
            ttl = limit;
        var policies = (root ? wanted.Policies : wanted.Policies.Append("default")).Distinct().Order(StringComparer.Ordinal);
        var stored = new JsonObject
        {
            ["id"] = wanted.Id ?? $"hvs.{Random(90)}",
            ["accessor"] = Random(24),
            ["parent"] = wanted.Parent,
            ["path"] = wanted.Path,
            ["display_name"] = wanted.DisplayName,
            ["policies"] = VaultFields.Array(policies),
            ["created"] = VaultFields.Time(now),
            ["expires"] = ttl > TimeSpan.Zero ? VaultFields.Time(now + ttl) : null,
            ["creation_ttl"] = VaultFields.Seconds(ttl),
            ["max_ttl"] = VaultFields.Seconds(wanted.MaxTtl),
            ["period"] = VaultFields.Seconds(wanted.Period),
            ["renewable"] = wanted.Renewable && ttl > TimeSpan.Zero,
            ["num_uses"] = wanted.Uses,
            ["meta"] = wanted.Metadata.DeepClone(),
        };
        storage.Put(Prefix + stored.String("id"), stored);
        return new(stored);
    }

    /// <summary>Counts one use of a token that has only so many.</summary>
    public async Task UseAsync(TokenEntry token, CancellationToken ct)
    {
        if (token.UsesLeft == 0)
            return;
        if (token.UsesLeft == 1)
        {
            await RevokeAsync(token, ct);
            return;
        }

        token.Stored["num_uses"] = token.UsesLeft - 1;
        storage.Put(Prefix + token.Id, token.Stored);
    }

    public TokenEntry Renew(TokenEntry token, TimeSpan increment)
    {
        if (!token.Renewable || token.Expires is null)
            throw VaultFailure.Rejected("lease is not renewable");
        var now = time.GetUtcNow();
        var ttl = token.Period > TimeSpan.Zero ? token.Period : increment > TimeSpan.Zero ? increment : token.CreationTtl;
        var limit = token.Created + (token.MaxTtl > TimeSpan.Zero && token.MaxTtl < SystemTtl ? token.MaxTtl : SystemTtl);
        var until = token.Period > TimeSpan.Zero || now + ttl < limit ? now + ttl : limit;
        token.Stored["expires"] = VaultFields.Time(until);
        storage.Put(Prefix + token.Id, token.Stored);
        return token;
    }

    /// <summary>Ends a token, its children and the leases of all of them.</summary>
    public async Task RevokeAsync(TokenEntry token, CancellationToken ct)
    {
        storage.Remove(Prefix + token.Id);
        foreach (var child in All.Where(candidate => candidate.Parent == token.Id).ToList())
            await RevokeAsync(child, ct);
        await leases.RevokeOfAsync(token.Id, ct);
    }

    public async Task ExpireAsync(CancellationToken ct)
    {
        foreach (var token in All.Where(IsOver).ToList())
            await RevokeAsync(token, ct);
    }

    public TimeSpan Left(TokenEntry token) => token.Expires is { } end ? end - time.GetUtcNow() : TimeSpan.Zero;

    /// <summary>As <c>lookup</c> shows a token.</summary>
    public JsonObject Describe(TokenEntry token, bool withId = true) => new()
    {
        ["accessor"] = token.Accessor,
        ["creation_time"] = token.Created.ToUnixTimeSeconds(),
        ["creation_ttl"] = VaultFields.Seconds(token.CreationTtl),
        ["display_name"] = token.Stored.String("display_name"),
        ["entity_id"] = "",
        ["expire_time"] = token.Expires is { } end ? VaultFields.Time(end) : null,
        ["explicit_max_ttl"] = 0,
        ["id"] = withId ? token.Id : "",
        ["issue_time"] = VaultFields.Time(token.Created),
        ["meta"] = token.Stored["meta"]?.DeepClone(),
        ["num_uses"] = token.UsesLeft,
        ["orphan"] = token.Parent.Length == 0,
        ["path"] = token.Stored.String("path"),
        ["policies"] = VaultFields.Array(token.Policies),
        ["renewable"] = token.Renewable,
        ["ttl"] = VaultFields.Seconds(Left(token)),
        ["type"] = "service",
    };

    /// <summary>As a login or a renewal shows it.</summary>
    public JsonObject Auth(TokenEntry token) => new()
    {
        ["client_token"] = token.Id,
        ["accessor"] = token.Accessor,
        ["policies"] = VaultFields.Array(token.Policies),
        ["token_policies"] = VaultFields.Array(token.Policies),
        ["metadata"] = token.Stored["meta"]?.DeepClone(),
        // In whole seconds, and as much as was given.
        ["lease_duration"] = (long)Math.Ceiling(Left(token).TotalSeconds),
        ["renewable"] = token.Renewable,
        ["entity_id"] = "",
        ["token_type"] = "service",
        ["orphan"] = token.Parent.Length == 0,
        ["mfa_requirement"] = null,
        ["num_uses"] = token.UsesLeft,
    };

    private bool IsOver(TokenEntry token) => token.Expires is { } end && end <= time.GetUtcNow();
}
