using PlatformOps.Adapters.Backups;
using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard.Backups;

/// <summary>A role as a server has it.</summary>
/// <param name="Verifier">What the server keeps of its password; null: it has none.</param>
/// <param name="Attributes">What it may besides, as <c>ALTER ROLE</c> takes it.</param>
internal sealed record RoleOfServer(string Name, bool Login, string? Verifier, string Attributes);

/// <param name="Form">For PostgreSQL's <c>format</c>.</param>
internal sealed record RoleStatement(string Form, string[] Arguments);

/// <summary>Who may log in to restored data: who may today, with the password of today. Pure.</summary>
internal static class RestoredLogins
{
    public const string Read = """
        SELECT json_agg(json_build_object('name', rolname, 'login', rolcanlogin, 'verifier', rolpassword, 'attributes', concat_ws(' ',
          CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
          CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END, 'CONNECTION LIMIT ' || rolconnlimit,
          'VALID UNTIL ' || quote_literal(coalesce(rolvaliduntil, 'infinity')))) ORDER BY rolname)::text
        FROM pg_authid WHERE rolname NOT LIKE 'pg\_%'
        """;

    /// <param name="there">What the restored data has.</param>
    /// <param name="known">What the server that is replaced has; null: it could not be asked.</param>
    /// <param name="logins">What Vault has; it counts before the server.</param>
    public static (IReadOnlyList<RoleStatement> Statements, SecuredLogins Told) Decide(IReadOnlyList<RoleOfServer> there, IReadOnlyList<RoleOfServer>? known, IReadOnlyList<CurrentLogin> logins)
    {
        var (statements, set, closed) = (new List<RoleStatement>(), new List<string>(), new List<string>());
        var today = (known ?? []).ToDictionary(role => role.Name);
        var current = logins.ToDictionary(login => login.Name);
        foreach (var role in there.Where(role => !ServerRoles.IsOurs(role.Name)))
        {
            if (today.TryGetValue(role.Name, out var now))
                statements.Add(new($"ALTER ROLE %I {now.Attributes}", [role.Name]));
            if (current.TryGetValue(role.Name, out var login))
                Set(role.Name, login.Verifier);
            else if (now is { Login: true, Verifier: { } verifier })
                Set(role.Name, verifier);
            else if (role.Login && now is not { Login: true })
                Close(role.Name);
            else if (role.Login)
                statements.Add(new("ALTER ROLE %I PASSWORD NULL", [role.Name]));
        }

        // One of two that take turns may have been made since.
        foreach (var login in logins.Where(login => there.All(role => role.Name != login.Name) && there.Any(role => role.Name == login.Like)))
        {
            statements.Add(new("CREATE ROLE %I NOLOGIN", [login.Name]));
            Set(login.Name, login.Verifier);
            statements.Add(new("GRANT %I TO %I", [login.Like, login.Name]));
            statements.Add(new("ALTER ROLE %I SET role = %L", [login.Name, login.Like]));
        }

        var missing = today.Values.Where(role => role.Login).Select(role => role.Name).Concat(logins.Where(login => there.All(role => role.Name != login.Like)).Select(login => login.Name))
            .Where(name => !set.Contains(name) && there.All(role => role.Name != name)).Distinct().Order(StringComparer.Ordinal);
        return (statements, new(set, closed, [.. missing], known is not null));

        void Set(string name, string verifier)
        {
            statements.Add(new("ALTER ROLE %I LOGIN PASSWORD %L", [name, verifier]));
            set.Add(name);
        }

        void Close(string name)
        {
            statements.Add(new("ALTER ROLE %I NOLOGIN PASSWORD NULL", [name]));
            closed.Add(name);
        }
    }
}
