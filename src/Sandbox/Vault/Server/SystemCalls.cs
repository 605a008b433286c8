using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Server;

/// <summary>The paths below <c>sys/</c>.</summary>
internal sealed class SystemCalls(VaultCore core) : IEngine
{
    /// <summary>Whether this is answered in every state of the server, sealed too.</summary>
    public static bool IsUnsealed(VaultRequest request) => request.Path is "sys/health" or "sys/seal-status" or "sys/unseal" or "sys/init" or "sys/leader";

    public bool IsOpen(string path) => path is "health" or "seal-status" or "unseal" or "init" or "leader";

    public bool NeedsSudo(VaultRequest request) => request.Parts is ["seal"] or ["step-down"] or ["leases", "revoke-force", ..]
        || (request.Parts is ["auth", ..] && request.Operation is VaultOperation.Update or VaultOperation.Delete)
        || (request.Parts is ["leases", "lookup", ..] && request.Operation == VaultOperation.List)
        || request.Parts is ["leases", "revoke-prefix", ..];

    public async Task<EngineAnswer> AnswerAsync(VaultRequest request, CancellationToken ct) => (request.Operation, request.Parts) switch
    {
        (VaultOperation.Read, ["health"]) => Health(request.Fields),
        (VaultOperation.Read, ["seal-status"]) => new(core.State.SealStatus) { Bare = true },
        (VaultOperation.Read, ["init"]) => new(new JsonObject { ["initialized"] = true }) { Bare = true },
        (VaultOperation.Read, ["leader"]) => new(new JsonObject { ["ha_enabled"] = false, ["is_self"] = core.State.Now == SandboxVaultState.Active, ["leader_address"] = "" }) { Bare = true },
        (VaultOperation.Update, ["seal"]) => Become(SandboxVaultState.Sealed),
        (VaultOperation.Update, ["unseal"]) => Unseal(request.Fields),
        (VaultOperation.Update, ["capabilities-self"]) => Capabilities(request),
        (_, ["policies", "acl", .. var rest]) => PolicyCall(request, rest),
        (_, ["mounts", .. var rest]) => await MountCallAsync(request, rest, "", ct),
        (_, ["auth", .. var rest]) => await MountCallAsync(request, rest, "auth/", ct),
        (_, ["leases", .. var rest]) => await LeaseCallAsync(request, rest, ct),
        (VaultOperation.Read, ["storage", "raft", "snapshot"]) => EngineAnswer.Nothing with { Raw = core.Snapshots.Take(), ContentType = "application/gzip" },
        (VaultOperation.Update, ["storage", "raft", "snapshot" or "snapshot-force"]) => Restore(request),
        (VaultOperation.Update, ["renew"]) => await LeaseCallAsync(request, ["renew"], ct),
        (VaultOperation.Update, ["revoke"]) => await LeaseCallAsync(request, ["revoke"], ct),
        _ => throw VaultFailure.UnsupportedPath(),
    };

    private EngineAnswer Health(JsonObject query)
    {
        var state = core.State.Now;
        var status = state switch
        {
            SandboxVaultState.Standby when query.Flag("standbyok") => 200,
            SandboxVaultState.PerformanceStandby when query.Flag("perfstandbyok") => 200,
            SandboxVaultState.Sealed => query.Integer("sealedcode") ?? 503,
            SandboxVaultState.Standby => query.Integer("standbycode") ?? 429,
            _ => core.State.HealthStatus,
        };
        return new(new JsonObject
        {
            ["initialized"] = true,
            ["sealed"] = core.State.IsSealed,
            ["standby"] = state != SandboxVaultState.Active,
            ["performance_standby"] = state == SandboxVaultState.PerformanceStandby,
            ["replication_performance_mode"] = "disabled",
            ["replication_dr_mode"] = state == SandboxVaultState.DisasterRecoverySecondary ? "secondary" : "disabled",
            ["server_time_utc"] = core.Time.GetUtcNow().ToUnixTimeSeconds(),
            ["version"] = ServerState.Version,
            ["enterprise"] = false,
            ["cluster_name"] = "platformops-sandbox",
            ["cluster_id"] = core.State.ClusterId,
            ["echo_duration_ms"] = 0,
            ["clock_skew_ms"] = 0,
        })
        { Bare = true, Status = status };
    }

    private EngineAnswer Become(SandboxVaultState state)
    {
        core.State.Become(state);
        return EngineAnswer.Nothing;
    }

    private EngineAnswer Unseal(JsonObject fields)
    {
        if (core.Snapshots.Unseal(fields.Required("key")))
            core.Mounts.Forget();
        else if (fields.Required("key") != core.State.UnsealKey)
            throw VaultFailure.Rejected("'key' must be a valid hex or base64 string");
        if (core.State.IsSealed)
            core.State.Become(SandboxVaultState.Active);
        return new(core.State.SealStatus) { Bare = true };
    }

    private EngineAnswer Restore(VaultRequest request)
    {
        core.Snapshots.Restore(request.Raw, force: request.Parts[^1] == "snapshot-force");
        core.Mounts.Forget();
        return EngineAnswer.Nothing;
    }

    private EngineAnswer Capabilities(VaultRequest request)
    {
        var paths = request.Fields.Words("paths") ?? request.Fields.Words("path") ?? throw VaultFailure.Rejected("paths must be supplied");
        var allowed = core.Policies.Of(request.Caller!.Policies);
        var data = new JsonObject(paths.Select(path => KeyValuePair.Create(path, (JsonNode?)VaultFields.Array(allowed.Capabilities(path)))));
        if (paths is [var only])
            data["capabilities"] = data[only]!.DeepClone();
        return new(data);
    }

    private EngineAnswer PolicyCall(VaultRequest request, string[] rest)
    {
        switch (request.Operation, rest)
        {
            case (VaultOperation.List, []):
                return EngineAnswer.Keys(core.Policies.Names);
            case (VaultOperation.Read, [var name]):
                return new(new JsonObject { ["name"] = name, ["policy"] = core.Policies.Read(name) ?? throw VaultFailure.Missing() });
            case (VaultOperation.Update, [var name]):
                core.Policies.Write(name, request.Fields.String("policy") ?? throw VaultFailure.Rejected("'policy' parameter not supplied or empty"));
                return EngineAnswer.Nothing;
            case (VaultOperation.Delete, [var name]):
                core.Policies.Delete(name);
                return EngineAnswer.Nothing;
            default:
                throw VaultFailure.UnsupportedOperation();
        }
    }

    private async Task<EngineAnswer> MountCallAsync(VaultRequest request, string[] rest, string prefix, CancellationToken ct)
    {
        if (rest is [.. var tuned, "tune"] && tuned.Length > 0)
            return TuneCall(request, $"{prefix}{string.Join('/', tuned)}/");
        var path = $"{prefix}{string.Join('/', rest)}/";
        switch (request.Operation)
        {
            case VaultOperation.Read when rest.Length == 0:
                return new(new JsonObject(core.Mounts.Paths.Where(mount => prefix.Length == 0 ^ mount.StartsWith("auth/", StringComparison.Ordinal))
                    .Select(mount => KeyValuePair.Create(mount[prefix.Length..], (JsonNode?)core.Mounts.Describe(mount)))));
            case VaultOperation.Read:
                return new(core.Mounts.Describe(path) ?? throw VaultFailure.Rejected("No secret engine mount at " + path));
            case VaultOperation.Update when rest.Length > 0:
                core.Mounts.Mount(path, request.Fields);
                return EngineAnswer.Nothing;
            case VaultOperation.Delete when rest.Length > 0:
                await core.Leases.RevokeUnderAsync(path, ct);
                core.Mounts.Unmount(path);
                return EngineAnswer.Nothing;
            default:
                throw VaultFailure.UnsupportedOperation();
        }
    }

    private EngineAnswer TuneCall(VaultRequest request, string path)
    {
        if (request.Operation == VaultOperation.Update)
        {
            core.Mounts.Tune(path, request.Fields);
            return EngineAnswer.Nothing;
        }

        var mount = core.Mounts.Describe(path) ?? throw VaultFailure.Rejected($"cannot fetch sysview for path \"{path}\"");
        var config = (JsonObject)mount["config"]!.DeepClone();
        config["description"] = mount["description"]!.DeepClone();
        return new(config);
    }

    private async Task<EngineAnswer> LeaseCallAsync(VaultRequest request, string[] rest, CancellationToken ct)
    {
        switch (request.Operation, rest)
        {
            case (VaultOperation.Update, ["lookup"]):
                return new(core.Leases.Describe(Id(request.Fields)));
            case (VaultOperation.List, ["lookup", .. var folder]):
                return EngineAnswer.Keys(core.Leases.Names(folder.Length == 0 ? "" : $"{string.Join('/', folder)}/"));
            case (VaultOperation.Update, ["renew", .. var named]):
                var id = named.Length > 0 ? string.Join('/', named) : Id(request.Fields);
                var ttl = await core.Leases.RenewAsync(id, request.Fields.Duration("increment") ?? default, ct);
                return new(new JsonObject
                {
                    ["request_id"] = Guid.NewGuid().ToString(),
                    ["lease_id"] = id,
                    ["renewable"] = true,
                    ["lease_duration"] = VaultFields.Seconds(ttl),
                    ["data"] = null,
                })
                { Bare = true };
            case (VaultOperation.Update, ["revoke", .. var named]):
                await core.Leases.RevokeAsync(named.Length > 0 ? string.Join('/', named) : Id(request.Fields), ct);
                return EngineAnswer.Nothing;
            case (VaultOperation.Update, ["revoke-prefix", .. var folder]):
                await core.Leases.RevokeUnderAsync(string.Join('/', folder), ct);
                return EngineAnswer.Nothing;
            default:
                throw VaultFailure.UnsupportedPath();
        }
    }

    private static string Id(JsonObject fields) => fields.String("lease_id") ?? throw VaultFailure.Rejected("lease_id must be specified");
}
