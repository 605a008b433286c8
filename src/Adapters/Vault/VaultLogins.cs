using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>Ways to log in, for <see cref="RenewedToken"/>.</summary>
public static class VaultLogins
{
    /// <summary>With a role id and a secret id. The secret id is read at each login: it may have been rotated.</summary>
    /// <param name="mount">Where the method is mounted, without <c>auth/</c>.</param>
    public static Func<VaultConnection, CancellationToken, Task<VaultLogin>> AppRole(
        string roleId, Func<CancellationToken, Task<SecretText>> secretId, string mount = "approle") => async (connection, ct) =>
        await LoginAsync(connection, mount, new() { ["role_id"] = roleId, ["secret_id"] = (await secretId(ct)).Reveal() }, ct);

    /// <summary>With the token of the service account of the pod that we run in. It is read at each login: Kubernetes replaces it.</summary>
    public static Func<VaultConnection, CancellationToken, Task<VaultLogin>> Kubernetes(
        string role, Func<CancellationToken, Task<SecretText>> serviceAccountToken, string mount = "kubernetes") => async (connection, ct) =>
        await LoginAsync(connection, mount, new() { ["role"] = role, ["jwt"] = (await serviceAccountToken(ct)).Reveal() }, ct);

    private static async Task<VaultLogin> LoginAsync(VaultConnection connection, string mount, JsonObject body, CancellationToken ct) => VaultJson.Login(
        (await connection.RequireAsync(VaultCall.Write($"auth/{VaultJson.Path(mount)}/login", $"log in with {mount}", body) with { Anonymous = true }, ct)).Auth ?? []);
}
