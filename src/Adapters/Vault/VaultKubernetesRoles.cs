using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>Which service accounts may log in, and what tokens they get.</summary>
public sealed record VaultKubernetesRole(IReadOnlyList<string> ServiceAccounts, IReadOnlyList<string> Namespaces, VaultTokenTerms Terms);

/// <summary>The login method Kubernetes: where it asks whose a token is, and its roles.</summary>
public sealed class VaultKubernetesRoles(VaultConnection connection, string mount = "kubernetes")
{
    /// <param name="host">Of the Kubernetes API whose token reviews Vault asks for.</param>
    /// <param name="certificateAuthority">PEM; null: what the pod of Vault trusts.</param>
    public Task ConfigureAsync(Uri host, string? certificateAuthority, CancellationToken ct)
    {
        var body = new JsonObject { ["kubernetes_host"] = host.GetLeftPart(UriPartial.Authority) };
        if (certificateAuthority is not null)
            body["kubernetes_ca_cert"] = certificateAuthority;
        return connection.SendAsync(VaultCall.Write($"auth/{VaultJson.Path(mount)}/config", $"configure {mount}", body), ct);
    }

    public async Task<IReadOnlyList<string>> RolesAsync(CancellationToken ct) => (await connection.SendAsync(VaultCall.List(At(), $"list the roles of {mount}"), ct)).Keys;

    /// <returns>Null when there is none of that name.</returns>
    public async Task<VaultKubernetesRole?> ReadAsync(string name, CancellationToken ct)
    {
        var answer = await connection.SendAsync(VaultCall.Read(At(name), $"read role {name} of {mount}"), ct);
        return answer.Missing
            ? null
            : new(answer.Data.Words("bound_service_account_names"), answer.Data.Words("bound_service_account_namespaces"), VaultTokenTerms.Read(answer.Data));
    }

    public Task WriteAsync(string name, VaultKubernetesRole role, CancellationToken ct)
    {
        var body = role.Terms.Body;
        body["bound_service_account_names"] = VaultJson.Array(role.ServiceAccounts);
        body["bound_service_account_namespaces"] = VaultJson.Array(role.Namespaces);
        return connection.SendAsync(VaultCall.Write(At(name), $"write role {name} of {mount}", body), ct);
    }

    public Task DeleteAsync(string name, CancellationToken ct) => connection.SendAsync(VaultCall.Delete(At(name), $"delete role {name} of {mount}"), ct);

    private string At(string? name = null) => $"auth/{VaultJson.Path(mount)}/role{(name is null ? "" : "/" + VaultJson.Path(name))}";
}
