using System.Security.Cryptography;
using System.Text;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.Redis;

/// <summary>Where servers of one Redis answer, and how we log in to manage their users.</summary>
/// <param name="Addresses"><c>host:port</c> of each: users are not copied with the data.</param>
/// <param name="Authority">A PEM file with whom to trust; null: the system's authorities.</param>
/// <param name="Login">Null: the user <c>default</c>.</param>
/// <param name="Password">Null: we have none, and only what somebody shows can be tried.</param>
public sealed record RedisAccess(IReadOnlyList<string> Addresses, bool Tls, string? Authority, string? Login, SecretText? Password);

/// <summary>The passwords of Redis' users (ACL). A user may have several; Redis is told their SHA-256 only.</summary>
public sealed class RedisUsers(RedisAccess access)
{
    private const string Usual = "default";

    /// <summary>Whether every server accepts it. What a server's list of users does not have is not tried: refused logins are counted by others.</summary>
    /// <param name="login">Null: <c>default</c>.</param>
    public async Task<CredentialStanding> TryAsync(string? login, SecretText password, CancellationToken ct)
    {
        var all = CredentialStanding.Accepted;
        foreach (var address in access.Addresses)
        {
            var standing = await TryAsync(address, login, password, ct);
            if (standing == CredentialStanding.Refused)
                return standing;
            if (standing == CredentialStanding.Unknown)
                all = standing;
        }

        return access.Addresses.Count == 0 ? CredentialStanding.Unknown : all;
    }

    /// <summary>Whether one server accepts it.</summary>
    /// <param name="address"><c>host:port</c>, which need not be one of those that are managed.</param>
    /// <param name="login">Null: <c>default</c>.</param>
    public Task<CredentialStanding> TryAtAsync(string address, string? login, SecretText password, CancellationToken ct) => TryAsync(address, login, password, ct);

    /// <summary>Has every server accept a password, beside those that it accepts. A user that is not there yet may do what <paramref name="like"/> may.</summary>
    public Task AddAsync(string? login, SecretText password, string? like, CancellationToken ct) => EachAsync("add a password", async connection =>
    {
        var before = await PasswordsAsync(connection, login, ct);
        if (before?.Contains(Digest(password)) == true)
            return;
        if (before is null)
            throw new AdapterException(AdapterFailureKind.Rejected, $"Redis has no user {login ?? Usual}: its rights are not ours to decide. Create it as {like ?? Usual} was, then retry.");
        await connection.CallAsync(ct, "ACL", "SETUSER", login ?? Usual, "on", $"#{Digest(password)}");
        await SaveAsync(connection, ct);
    }, ct);

    /// <summary>Has every server refuse a password. Copies that log in with it are told <paramref name="instead"/> first.</summary>
    public Task RemoveAsync(string? login, SecretText password, SecretText instead, CancellationToken ct) => EachAsync("remove a password", async connection =>
    {
        if ((await PasswordsAsync(connection, login, ct))?.Contains(Digest(password)) != true)
            return;
        if (await connection.CallAsync(ct, "CONFIG", "GET", "masterauth") is List<object?> { Count: 2 } copying && (string?)copying[1] == password.Reveal())
            await connection.CallAsync(ct, "CONFIG", "SET", "masterauth", instead.Reveal());
        await connection.CallAsync(ct, "ACL", "SETUSER", login ?? Usual, $"!{Digest(password)}");
        await SaveAsync(connection, ct);
    }, ct);

    private async Task<CredentialStanding> TryAsync(string address, string? login, SecretText password, CancellationToken ct)
    {
        try
        {
            if (await ListedAsync(address, login, password, ct) == false)
                return CredentialStanding.Refused;
            using var connection = await RedisConnection.OpenAsync(address, access.Tls, access.Authority, ct);
            await LogInAsync(connection, login, password, ct);
            // Whoever was let in and may not even ask is let in nevertheless.
            return CredentialStanding.Accepted;
        }
        catch (RedisRefusal refused) when (refused.Kind == "WRONGPASS" || refused.Says("invalid password"))
        {
            return CredentialStanding.Refused;
        }
        catch (Exception failure) when (failure is RedisRefusal or AdapterException { Kind: AdapterFailureKind.Unavailable })
        {
            return CredentialStanding.Unknown;
        }
    }

    /// <summary>Null: we are not let in to look.</summary>
    private async Task<bool?> ListedAsync(string address, string? login, SecretText password, CancellationToken ct)
    {
        // With the same password there is nothing to spare.
        if (access.Password is not { } ours || (ours.Equals(password) && (access.Login ?? Usual) == (login ?? Usual)))
            return null;
        try
        {
            using var connection = await RedisConnection.OpenAsync(address, access.Tls, access.Authority, ct);
            await LogInAsync(connection, access.Login, ours, ct);
            return (await PasswordsAsync(connection, login, ct))?.Contains(Digest(password)) == true;
        }
        catch (RedisRefusal)
        {
            return null;
        }
    }

    private async Task EachAsync(string what, Func<RedisConnection, Task> work, CancellationToken ct)
    {
        if (access.Addresses.Count == 0)
            throw new AdapterException(AdapterFailureKind.Unavailable, $"No server of Redis is ready to {what}.");
        foreach (var address in access.Addresses)
        {
            try
            {
                using var connection = await RedisConnection.OpenAsync(address, access.Tls, access.Authority, ct);
                await LogInAsync(connection, access.Login, access.Password ?? throw new RedisRefusal("NOAUTH no password"), ct);
                await work(connection);
            }
            catch (RedisRefusal refused)
            {
                throw refused.Kind switch
                {
                    "WRONGPASS" or "NOAUTH" => new AdapterException(AdapterFailureKind.Unauthorized, $"Redis at {address} does not let us in as {access.Login ?? Usual} to {what}. State user and tokenFile under external.redis in the connections file, or correct them."),
                    "NOPERM" => new AdapterException(AdapterFailureKind.Forbidden, $"Redis at {address} does not let {access.Login ?? Usual} {what}. Let it call ACL and CONFIG, then retry."),
                    "LOADING" or "BUSY" or "MASTERDOWN" => new AdapterException(AdapterFailureKind.Unavailable, $"Redis at {address} is busy ({refused.Kind})."),
                    _ => new AdapterException(AdapterFailureKind.Rejected, $"Redis at {address} refuses to {what} ({refused.Kind})."),
                };
            }
        }
    }

    private static async Task LogInAsync(RedisConnection connection, string? login, SecretText password, CancellationToken ct) =>
        await (login is null ? connection.CallAsync(ct, "AUTH", password.Reveal()) : connection.CallAsync(ct, "AUTH", login, password.Reveal()));

    /// <summary>The digests that a user has; null: there is no such user, or it is off.</summary>
    private static async Task<IReadOnlyList<string>?> PasswordsAsync(RedisConnection connection, string? login, CancellationToken ct)
    {
        if (await connection.CallAsync(ct, "ACL", "GETUSER", login ?? Usual) is not List<object?> user)
            return null;
        var fields = user.Chunk(2).ToDictionary(pair => (string)pair[0]!, pair => pair[1]);
        var flags = (fields["flags"] as List<object?> ?? []).Cast<string>().ToList();
        return flags.Contains("off") ? null : [.. (fields["passwords"] as List<object?> ?? []).Cast<string>()];
    }

    /// <summary>Where neither a file of users nor one of settings is, a restart would forget it.</summary>
    private static async Task SaveAsync(RedisConnection connection, CancellationToken ct)
    {
        try
        {
            await connection.CallAsync(ct, "ACL", "SAVE");
        }
        catch (RedisRefusal refused) when (refused.Says("not configured to use an ACL file"))
        {
            throw new AdapterException(AdapterFailureKind.Rejected, "Redis keeps its users in memory only: a restart would forget a password that was added or bring back one that was removed. Give it an aclfile, then retry.");
        }
    }

    private static string Digest(SecretText password) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(password.Reveal())));
}
