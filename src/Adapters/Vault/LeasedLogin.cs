namespace PlatformOps.Adapters.Vault;

/// <summary>A login that Vault's database engine made for us. It is renewed and replaced in good time; one that replaces another is handed out only when it was proved, and the other one stays valid
/// until its own end, for whoever works with it.</summary>
/// <param name="prove">Logs in with it once; throws when that is not possible.</param>
public sealed class LeasedLogin(VaultConnection connection, string mount, string role, Func<VaultDatabaseLogin, CancellationToken, Task> prove) : IDisposable
{
    private readonly LeaseKeeper<Leased> keeper = new(
        async (vault, ct) => await ObtainAsync(vault, mount, role, prove, ct),
        async (vault, leased, life, ct) => Granted(leased, await new VaultLeases(vault).RenewAsync(leased.Login.Lease!.Id, life, ct)),
        // Whatever Vault knows of its lease: the database decides, and it has refused it.
        (_, _, _) => Task.FromResult(false));

    /// <summary>One that is good now.</summary>
    /// <exception cref="AdapterException">There is none to be had: Vault or the database refused, or did not answer.</exception>
    public async Task<VaultDatabaseLogin> LoginAsync(CancellationToken ct)
    {
        var token = await TokenAsync(ct);
        return (await keeper.GetAsync(connection, ct, leased => token is not null && !token.Equals(leased.Token))).Login;
    }

    /// <summary>Keeps it alive until cancelled, so that it survives times in which nobody asks.</summary>
    /// <param name="tell">Hears how it is after each look; null: nobody does.</param>
    public Task KeepAliveAsync(CancellationToken ct, Action<LeaseState>? tell = null) => keeper.KeepAliveAsync(connection, () => LoginAsync(ct), ct, tell);

    /// <summary>The database refused it: it may have been revoked.</summary>
    public void Doubt(VaultDatabaseLogin login) => keeper.Doubt(leased => leased.Login.Username == login.Username);

    /// <inheritdoc/>
    public void Dispose() => keeper.Dispose();

    /// <returns>Null: there is none at the moment, which matters to those only who need Vault now.</returns>
    private async Task<SecretText?> TokenAsync(CancellationToken ct)
    {
        try
        {
            return await connection.TokenAsync(ct);
        }
        catch (AdapterException)
        {
            return null;
        }
    }

    private static async Task<VaultGrant<Leased>> ObtainAsync(VaultConnection vault, string mount, string role, Func<VaultDatabaseLogin, CancellationToken, Task> prove, CancellationToken ct)
    {
        // What is leased ends with the token by which it was.
        var token = await vault.TokenAsync(ct);
        var login = await new VaultDatabases(vault, mount).NewLoginAsync(role, ct);
        try
        {
            await prove(login, ct);
        }
        catch
        {
            await GiveBackAsync(vault, login);
            throw;
        }

        return Granted(new(login, token), login.Lease!);
    }

    /// <summary>One that nobody will use is not left behind, if that can be helped; otherwise it goes with its lease.</summary>
    private static async Task GiveBackAsync(VaultConnection vault, VaultDatabaseLogin login)
    {
        try
        {
            await new VaultLeases(vault).RevokeAsync(login.Lease!.Id, CancellationToken.None);
        }
        catch (VaultException)
        {
            // Why it was not proved matters more.
        }
    }

    private static VaultGrant<Leased> Granted(Leased leased, VaultLease lease) => new(leased, lease.Id, lease.Ttl, lease.Renewable);

    private sealed record Leased(VaultDatabaseLogin Login, SecretText Token);
}
