using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Core;

/// <summary>Whether the server is sealed, and which node it is.</summary>
internal sealed class ServerState
{
    /// <summary>As the product's own health says it. The stand-in follows the documentation of this version.</summary>
    public const string Version = "1.18.3";

    private readonly VaultStorage storage;

    public ServerState(VaultStorage storage)
    {
        this.storage = storage;
        if (!storage.Has("core"))
            storage.Put("core", new() { ["unseal_key"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)), ["cluster_id"] = Guid.NewGuid().ToString(), ["state"] = "Active" });
    }

    public string UnsealKey => storage.Get("core")!.String("unseal_key")!;

    public string ClusterId => storage.Get("core")!.String("cluster_id")!;

    public SandboxVaultState Now => Enum.Parse<SandboxVaultState>(storage.Get("core")!.String("state")!);

    public bool IsSealed => Now == SandboxVaultState.Sealed;

    public void Become(SandboxVaultState state)
    {
        var core = storage.Get("core")!;
        core["state"] = state.ToString();
        storage.Put("core", core);
    }

    /// <summary>Why such a request is not answered in this state; null when it is.</summary>
    public VaultFailure? Refusal(VaultOperation operation) => Now switch
    {
        SandboxVaultState.Sealed => VaultFailure.Sealed(),
        SandboxVaultState.Standby => new(500, "local node not active but active cluster node not found"),
        SandboxVaultState.PerformanceStandby when operation is not (VaultOperation.Read or VaultOperation.List) =>
            new(500, "local node not active but active cluster node not found"),
        SandboxVaultState.DisasterRecoverySecondary => new(400, "path disabled in replication DR secondary mode"),
        _ => null,
    };

    public int HealthStatus => Now switch
    {
        SandboxVaultState.Active => 200,
        SandboxVaultState.Standby => 429,
        SandboxVaultState.DisasterRecoverySecondary => 472,
        SandboxVaultState.PerformanceStandby => 473,
        _ => 503,
    };

    public JsonObject SealStatus => new()
    {
        ["type"] = "shamir",
        ["initialized"] = true,
        ["sealed"] = IsSealed,
        ["t"] = 1,
        ["n"] = 1,
        ["progress"] = 0,
        ["nonce"] = "",
        ["version"] = Version,
        ["migration"] = false,
        ["cluster_name"] = "platformops-sandbox",
        ["cluster_id"] = ClusterId,
        ["recovery_seal"] = false,
        ["storage_type"] = "raft",
    };
}
