using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>How a Vault server is, as it says itself.</summary>
public sealed record VaultHealth(bool Initialized, bool Sealed, bool Standby, bool PerformanceStandby, bool RecoverySecondary, string Version)
{
    /// <summary>Whether it takes reads and writes.</summary>
    public bool IsActive => Initialized && !Sealed && !Standby && !RecoverySecondary;
}

/// <summary>Whether it is sealed, and how far unsealing is.</summary>
public sealed record VaultSealStatus(bool Initialized, bool Sealed, int Threshold, int Progress, string Version);

/// <summary>An engine or a login method that is mounted.</summary>
/// <param name="Path">With a slash at its end.</param>
public sealed record VaultMount(string Path, string Type, string Description, IReadOnlyDictionary<string, string> Options);

/// <summary>The server itself: health, mounts, login methods, policies.</summary>
public sealed class VaultSystem(VaultConnection connection)
{
    /// <summary>Needs no token.</summary>
    /// <exception cref="VaultException">It does not answer, or not as Vault.</exception>
    public async Task<VaultHealth> HealthAsync(CancellationToken ct)
    {
        var call = VaultCall.Read("sys/health", "say its health") with { Anonymous = true };
        var body = (await connection.SendAsync(call, ct, status => status is 429 or 472 or 473 or 501 or 503)).Body;
        // A proxy in front of it may answer with the same codes; only Vault says this.
        if (body["sealed"] is null)
            throw new VaultException(AdapterFailureKind.Unavailable, VaultTrouble.Unreachable, $"{connection.Options.Address} answers, but not as Vault does. Check the address.", 0, []);
        return new(body.Flag("initialized"), body.Flag("sealed"), body.Flag("standby"), body.Flag("performance_standby"), body.Text("replication_dr_mode") == "secondary", body.Text("version"));
    }

    /// <summary>Needs no token.</summary>
    public async Task<VaultSealStatus> SealStatusAsync(CancellationToken ct)
    {
        var body = (await connection.SendAsync(VaultCall.Read("sys/seal-status", "say whether it is sealed") with { Anonymous = true }, ct)).Body;
        return new(body.Flag("initialized"), body.Flag("sealed"), body.Integer("t"), body.Integer("progress"), body.Text("version"));
    }

    /// <summary>Gives one unseal key; needs no token.</summary>
    /// <returns>Whether it is sealed still.</returns>
    public async Task<bool> UnsealAsync(SecretText key, CancellationToken ct)
    {
        var call = VaultCall.Write("sys/unseal", "unseal it", new() { ["key"] = key.Reveal() }) with { Anonymous = true };
        return (await connection.SendAsync(call, ct)).Body.Flag("sealed");
    }

    /// <summary>Seals it: from then on it says nothing until it is unsealed.</summary>
    public Task SealAsync(CancellationToken ct) => connection.SendAsync(VaultCall.Write("sys/seal", "seal it"), ct);

    /// <summary>By path.</summary>
    public Task<IReadOnlyDictionary<string, VaultMount>> MountsAsync(CancellationToken ct) => ListAsync("sys/mounts", "list the mounts", ct);

    /// <param name="type"><c>kv</c>, <c>pki</c>, <c>database</c>, <c>transit</c>.</param>
    /// <param name="options">For <c>kv</c>: <c>version</c> to <c>2</c>.</param>
    /// <param name="longestTtl">What the engine hands out lives no longer; null: the server's limit.</param>
    public Task MountAsync(
        string path, string type, CancellationToken ct, string description = "", IReadOnlyDictionary<string, string>? options = null, TimeSpan? longestTtl = null) =>
        EnableAsync($"sys/mounts/{VaultJson.Path(path)}", $"mount {type} at {path}", type, description, options, longestTtl, ct);

    /// <summary>Removes a mount with everything in it. One that is not there is no failure.</summary>
    public Task UnmountAsync(string path, CancellationToken ct) => connection.SendAsync(VaultCall.Delete($"sys/mounts/{VaultJson.Path(path)}", $"unmount {path}"), ct);

    /// <summary>By path, without <c>auth/</c>.</summary>
    public Task<IReadOnlyDictionary<string, VaultMount>> LoginMethodsAsync(CancellationToken ct) => ListAsync("sys/auth", "list the login methods", ct);

    public Task EnableLoginMethodAsync(string path, string type, CancellationToken ct, string description = "") =>
        EnableAsync($"sys/auth/{VaultJson.Path(path)}", $"enable the login method {type} at {path}", type, description, null, null, ct);

    public Task DisableLoginMethodAsync(string path, CancellationToken ct) =>
        connection.SendAsync(VaultCall.Delete($"sys/auth/{VaultJson.Path(path)}", $"disable the login method at {path}"), ct);

    public async Task<IReadOnlyList<string>> PoliciesAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List("sys/policies/acl", "list policies"), ct)).Keys;

    /// <returns>Null when there is none of that name.</returns>
    public async Task<string?> ReadPolicyAsync(string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read($"sys/policies/acl/{VaultJson.Path(name)}", $"read policy {name}"), ct);
        return answer.Missing ? null : answer.Data.Text("policy");
    }

    /// <param name="rules">In HCL or JSON.</param>
    public Task WritePolicyAsync(string name, string rules, CancellationToken ct) =>
        connection.SendAsync(VaultCall.Write($"sys/policies/acl/{VaultJson.Path(name)}", $"write policy {name}", new() { ["policy"] = rules }), ct);

    public Task DeletePolicyAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Delete($"sys/policies/acl/{VaultJson.Path(name)}", $"delete policy {name}"), ct);

    private async Task<IReadOnlyDictionary<string, VaultMount>> ListAsync(string path, string what, CancellationToken ct) =>
        (await connection.RequireAsync(VaultCall.Read(path, what), ct)).Data.ToDictionary(entry => entry.Key, entry =>
        {
            var mount = entry.Value!.AsObject();
            var options = (mount["options"] as JsonObject ?? []).ToDictionary(option => option.Key, option => option.Value?.ToString() ?? "");
            return new VaultMount(entry.Key, mount.Text("type"), mount.Text("description"), options);
        });

    private Task EnableAsync(
        string path, string what, string type, string description, IReadOnlyDictionary<string, string>? options, TimeSpan? longestTtl, CancellationToken ct)
    {
        var body = new JsonObject { ["type"] = type, ["description"] = description };
        if (options is not null)
            body["options"] = new JsonObject(options.Select(option => KeyValuePair.Create(option.Key, (JsonNode?)option.Value)));
        if (longestTtl is { } ttl)
            body["config"] = new JsonObject { ["max_lease_ttl"] = VaultJson.Duration(ttl) };
        return connection.SendAsync(VaultCall.Write(path, what, body), ct);
    }
}
