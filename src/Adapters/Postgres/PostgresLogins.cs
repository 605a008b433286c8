using Npgsql;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.Postgres;

/// <summary>Logins of a server: whether one is accepted, and by whom it is used; and makes or ends one.</summary>
/// <param name="server">By a login that may create roles.</param>
public sealed class PostgresLogins(PostgresServer server)
{
    /// <summary>How many sessions are named.</summary>
    private const int Named = 5;

    /// <summary>Whether it is accepted. Nobody logs in with what the server's own tables refuse, where we may read them: refused logins are counted by others, and can lock an account.</summary>
    public Task<CredentialStanding> TryAsync(string login, SecretText password, CancellationToken ct) => StandingAsync(async () =>
    {
        if (!await server.InAsync($"look at the login {login}", null, session => MayBeAcceptedAsync(session, login, password), ct))
            return CredentialStanding.Refused;
        using var tried = server.As(new(login, password));
        await tried.LogInAsync(ct);
        return CredentialStanding.Accepted;
    });

    /// <summary>Whether one of its servers accepts it, by itself: a standby has logins when it has replayed them. Only for what the primary accepts.</summary>
    /// <param name="host">The server's own address.</param>
    public Task<CredentialStanding> TryAtAsync(string host, int port, string login, SecretText password, CancellationToken ct) => StandingAsync(async () =>
    {
        using var there = server.At(host, port, new(login, password));
        await there.LogInAsync(ct);
        return CredentialStanding.Accepted;
    });

    /// <summary>Has the server accept a login with this password. One that is not there yet is made: a member of <paramref name="like"/>, in whose name it acts, so that what it makes belongs to the same owner.</summary>
    public Task SetAsync(string login, SecretText password, string like, CancellationToken ct) => server.InAsync($"change the login {login}", null, async session =>
    {
        var verifier = ScramVerifier.Of(password);
        await session.AtOnceAsync(async () =>
        {
            if (await session.CountAsync("SELECT count(*) AS count FROM pg_roles WHERE rolname = $1", login) == 0)
                await session.DoAsync("CREATE ROLE %I NOLOGIN", login);
            await session.DoAsync("ALTER ROLE %I LOGIN PASSWORD %L", login, verifier);
            if (login == like)
                return;
            await LikeAsync(session, login, like);
            if (await session.CountAsync("SELECT count(*) AS count FROM pg_auth_members m WHERE m.roleid = (SELECT oid FROM pg_roles WHERE rolname = $1) AND m.member = (SELECT oid FROM pg_roles WHERE rolname = $2)", like, login) > 0)
                return;
            await session.DoAsync("GRANT %I TO %I", like, login);
            await session.DoAsync("ALTER ROLE %I SET role = %L", login, like);
        });
        return true;
    }, ct);

    /// <summary>Has the server refuse a login. The role stays: it may own things.</summary>
    public Task RevokeAsync(string login, CancellationToken ct) => server.InAsync($"revoke the login {login}", null, async session =>
    {
        if (await session.CountAsync("SELECT count(*) AS count FROM pg_roles WHERE rolname = $1", login) > 0)
            await session.DoAsync("ALTER ROLE %I NOLOGIN PASSWORD NULL", login);
        return true;
    }, ct);

    /// <summary>Who is logged in so.</summary>
    public async Task<OldSessions> SessionsAsync(string login, CancellationToken ct)
    {
        try
        {
            return await server.InAsync($"look at the sessions of {login}", null, async session =>
            {
                var rows = await session.RowsAsync(
                    "SELECT CASE WHEN application_name = '' THEN 'somebody' ELSE application_name END || ' from ' || COALESCE(host(client_addr), 'the same machine') AS who FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid() ORDER BY backend_start",
                    login);
                return new OldSessions(login, rows.Count, [.. rows.Select(row => (string)row["who"]!).Distinct().Take(Named)]);
            }, ct);
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable)
        {
            return new(login, null, []);
        }
    }

    private static async Task<CredentialStanding> StandingAsync(Func<Task<CredentialStanding>> ask)
    {
        try
        {
            return await ask();
        }
        catch (AdapterException refused) when (refused.InnerException is PostgresException { SqlState: "28P01" or "28000" })
        {
            return CredentialStanding.Refused;
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable)
        {
            return CredentialStanding.Unknown;
        }
    }

    /// <summary>False: the role is not there, may not log in, or has another password.</summary>
    private static async Task<bool> MayBeAcceptedAsync(PostgresSession session, string login, SecretText password)
    {
        if (await session.RowsAsync("SELECT rolcanlogin AS login FROM pg_roles WHERE rolname = $1", login) is not [var role] || !(bool)role["login"]!)
            return false;
        // Superusers only.
        if (await session.CountAsync("SELECT has_table_privilege('pg_authid', 'SELECT')::int::bigint AS count") == 0)
            return true;
        return (await session.RowsAsync("SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1", login)) is [var row]
            && (string?)row["verifier"] is { } verifier && ScramVerifier.Fits(verifier, password) != false;
    }

    /// <summary>Gives a login the limit and the settings of another one: both count for who logs in, not in whose name it acts.</summary>
    private static async Task LikeAsync(PostgresSession session, string login, string like)
    {
        if (await session.RowsAsync("SELECT rolconnlimit::text AS allowed FROM pg_roles WHERE rolname = $1", like) is [var role])
            await session.DoAsync("ALTER ROLE %I CONNECTION LIMIT %s", login, (string)role["allowed"]!);
        foreach (var row in await session.RowsAsync(
            "SELECT split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE s.setdatabase = 0 AND s.setrole = (SELECT oid FROM pg_roles WHERE rolname = $1)", like))
        {
            // By way of the session, since a list such as search_path is no single value.
            await session.DoAsync("SELECT set_config(%L, %L, true)", (string)row["name"]!, (string)row["value"]!);
            await session.DoAsync("ALTER ROLE %I SET %I FROM CURRENT", login, (string)row["name"]!);
        }
    }
}
