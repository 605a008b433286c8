using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>Something that was handed out for a time.</summary>
/// <param name="IssuedAt">Null where Vault does not say it.</param>
public sealed record VaultLease(string Id, TimeSpan Ttl, bool Renewable, DateTimeOffset? IssuedAt = null);

/// <summary>Leases: look at them, lengthen them, end them.</summary>
public sealed class VaultLeases(VaultConnection connection)
{
    /// <returns>Null when there is none, or no longer.</returns>
    public async Task<VaultLease?> LookUpAsync(string id, CancellationToken ct)
    {
        try
        {
            var data = (await connection.RequireAsync(VaultCall.Write("sys/leases/lookup", $"look up lease {id}", Named(id)), ct)).Data;
            return new(id, data.Seconds("ttl"), data.Flag("renewable"), data.Moment("issue_time"));
        }
        catch (VaultException failure) when (failure.Trouble == VaultTrouble.Refused && failure.Errors.Any(error => error.Contains("invalid lease", StringComparison.Ordinal)))
        {
            return null;
        }
    }

    /// <summary>The ids of all that begin with a path.</summary>
    /// <param name="folder">Empty: all.</param>
    public async Task<IReadOnlyList<string>> ListAsync(string folder, CancellationToken ct)
    {
        var ids = new List<string>();
        foreach (var name in (await connection.SendAsync(VaultCall.List($"sys/leases/lookup/{VaultJson.Path(folder)}{(folder.Length == 0 ? "" : "/")}", $"list the leases of {(folder.Length == 0 ? "all engines" : folder)}"), ct)).Keys)
        {
            var path = folder.Length == 0 ? name : $"{folder}/{name}";
            if (name.EndsWith('/'))
                ids.AddRange(await ListAsync(path.TrimEnd('/'), ct));
            else
                ids.Add(path);
        }

        return ids;
    }

    /// <param name="increment">How long it should live from now; Vault gives less where its limit is near.</param>
    public async Task<VaultLease> RenewAsync(string id, TimeSpan increment, CancellationToken ct)
    {
        var body = Named(id);
        body["increment"] = (long)increment.TotalSeconds;
        var answer = (await connection.RequireAsync(VaultCall.Write("sys/leases/renew", $"renew lease {id}", body), ct)).Body;
        return new(id, answer.Seconds("lease_duration"), answer.Flag("renewable"));
    }

    /// <summary>Ends it and takes back what was handed out, before this returns. One that is gone is no failure.</summary>
    public Task RevokeAsync(string id, CancellationToken ct)
    {
        var body = Named(id);
        body["sync"] = true;
        return connection.SendAsync(VaultCall.Write("sys/leases/revoke", $"revoke lease {id}", body), ct);
    }

    private static JsonObject Named(string id) => new() { ["lease_id"] = id };
}
