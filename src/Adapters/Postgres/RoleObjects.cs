using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Postgres;

/// <summary>Roles: <c>login</c>, <c>connectionLimit</c>, <c>memberOf</c>, <c>grants</c> on databases, <c>settings</c>. Passwords are no matter of manifests: whoever keeps them sets them.</summary>
/// <remarks>Everything about a role is changed in one transaction, with its mark.</remarks>
internal sealed class RoleObjects() : PostgresKind("Role")
{
    private static readonly string[] Privileges = ["CONNECT", "CREATE", "TEMPORARY"];

    private const string All = """
        SELECT r.oid::text AS uid, r.rolname AS name, r.rolcanlogin AS login, r.rolconnlimit AS "connectionLimit", shobj_description(r.oid, 'pg_authid') AS comment,
          (SELECT to_json(s.setconfig) FROM pg_db_role_setting s WHERE s.setdatabase = 0 AND s.setrole = r.oid) AS settings,
          ARRAY(SELECT DISTINCT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1) AS "memberOf",
          ARRAY(SELECT json_build_object('database', d.datname, 'privilege', a.privilege_type, 'own', d.datdba = r.oid)
            FROM pg_database d, aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) a WHERE a.grantee = r.oid ORDER BY d.datname, a.privilege_type) AS grants
        FROM pg_roles r WHERE r.rolname NOT LIKE 'pg\_%'
        """;

    /// <summary>Rights on databases go with the role; whatever else it owns or may use does not.</summary>
    private const string Dependencies = """
        SELECT count(*) AS count FROM pg_shdepend s WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::oid
          AND s.deptype IN ('o', 'a', 'r') AND NOT (s.deptype = 'a' AND s.classid IN ('pg_database'::regclass, 'pg_auth_members'::regclass))
        """;

    protected override void Check(DeclaredFields fields)
    {
        _ = (fields.Flag("login"), fields.Number("connectionLimit"), fields.Texts("memberOf"));
        foreach (var grant in fields.Parts("grants"))
        {
            grant.Required("database");
            if (grant.Texts("privileges").Except(Privileges).FirstOrDefault() is { } unknown)
                throw grant.Wrong("privileges", $"has {unknown}; possible are {string.Join(", ", Privileges)}");
            grant.NothingElse();
        }

        PostgresSettings.Check(fields);
    }

    public override async Task<IReadOnlyList<ObservedObject>> ListAsync(PostgresSession session, string region, IReadOnlyDictionary<string, JsonObject> wanted) =>
    [
        .. (await session.RowsAsync(All)).Select(row =>
        {
            var (name, mark) = ((string)row["name"]!, PostgresMark.Read((string?)row["comment"]));
            var declared = wanted.GetValueOrDefault(name) ?? mark.Spec;
            return mark.ToObserved(Address(region, name), (string)row["uid"]!, new()
            {
                ["login"] = row["login"]?.DeepClone(),
                ["connectionLimit"] = row["connectionLimit"]?.DeepClone(),
                ["memberOf"] = List(InOrder(Texts(row["memberOf"]), Texts(declared["memberOf"]))),
                ["grants"] = Held(row["grants"], Grants(declared["grants"])),
                ["settings"] = PostgresSettings.Observed(row["settings"], declared["settings"]),
            });
        }),
    ];

    public override Task CreateAsync(PostgresSession session, DesiredObject wanted) => session.AtOnceAsync(async () =>
    {
        await session.DoAsync("CREATE ROLE %I", wanted.Address.Name);
        await SetAsync(session, wanted, live: null);
    });

    public override Task ChangeAsync(PostgresSession session, DesiredObject wanted, ObservedObject live) => session.AtOnceAsync(() => SetAsync(session, wanted, live));

    public override async Task<string?> WhyKeepAsync(PostgresSession session, ObservedObject live)
    {
        var name = live.Address.Name;
        if (await session.CountAsync("SELECT count(*) AS count FROM pg_stat_activity WHERE usename = $1", name) is > 0 and var sessions)
            return $"{live.Address} is in use by {sessions} sessions. Let them end and retry, or skip the step to keep it.";
        if (await session.CountAsync(Dependencies, (string)live.Manifest["metadata"]!["uid"]!) is > 0 and var dependencies)
            return $"{live.Address} owns or may use {dependencies} objects on the server. Reassign them (REASSIGN OWNED, DROP OWNED) and retry, or skip the step to keep it.";
        // Whoever created it without being a superuser is a member of it since PostgreSQL 16.
        return await session.CountAsync("SELECT count(DISTINCT member) AS count FROM pg_auth_members WHERE roleid = $1::oid AND member <> current_user::regrole", (string)live.Manifest["metadata"]!["uid"]!) is > 0 and var members
            ? $"{live.Address} has {members} roles as members, which would lose what it may do. Take them out of it and retry, or skip the step to keep it."
            : null;
    }

    public override Task DropAsync(PostgresSession session, ObservedObject live) => session.AtOnceAsync(async () =>
    {
        foreach (var (database, _) in Grants(live.Manifest["spec"]!["grants"]))
            await session.DoAsync("REVOKE ALL ON DATABASE %I FROM %I", database, live.Address.Name);
        await session.DoAsync("DROP ROLE %I", live.Address.Name);
    });

    private static async Task SetAsync(PostgresSession session, DesiredObject wanted, ObservedObject? live)
    {
        var (name, spec, there) = (wanted.Address.Name, Spec(wanted.Manifest), live is null ? [] : Spec(live.Manifest));
        var login = spec["login"]?.GetValue<bool>() == true ? "LOGIN" : "NOLOGIN";
        await session.DoAsync($"ALTER ROLE %I {login} CONNECTION LIMIT %s", name, $"{Number(spec["connectionLimit"]) ?? -1}");
        // What is not declared is not ours, unless it was.
        var ours = live is null ? null : ManagedManifest.Of(live.Manifest)?["spec"];
        if ((spec["memberOf"] ?? ours?["memberOf"]) is not null)
        {
            var (groups, before) = (Texts(spec["memberOf"]), Texts(there["memberOf"]));
            foreach (var group in groups.Except(before))
                await session.DoAsync("GRANT %I TO %I", group, name);
            foreach (var group in before.Except(groups))
                await session.DoAsync("REVOKE %I FROM %I", group, name);
        }

        if ((spec["grants"] ?? ours?["grants"]) is not null)
        {
            var (grants, before) = (Single(Grants(spec["grants"])), Single(Grants(there["grants"])));
            foreach (var (database, privilege) in grants.Except(before))
                await session.DoAsync($"GRANT {privilege} ON DATABASE %I TO %I", database, name);
            foreach (var (database, privilege) in before.Except(grants))
                await session.DoAsync($"REVOKE {privilege} ON DATABASE %I FROM %I", database, name);
        }

        await PostgresSettings.ApplyAsync(session, "ROLE", name, spec["settings"], live);
        await session.DoAsync("COMMENT ON ROLE %I IS %L", name, PostgresMark.Of(wanted).Text);
    }

    /// <summary>Wanted ones first, as they are wanted. Those of an owner come with owning.</summary>
    private static JsonArray Held(JsonNode? rows, IReadOnlyList<(string Database, IReadOnlyList<string> Privileges)> wanted)
    {
        var held = (rows as JsonArray ?? []).Select(row => (Database: (string)row!["database"]!, Privilege: (string)row["privilege"]!, Own: (bool)row["own"]!)).ToList();
        return new([.. InOrder([.. held.Select(row => row.Database).Distinct()], [.. wanted.Select(grant => grant.Database)]).Select(database =>
        {
            var asked = wanted.Where(grant => grant.Database == database).SelectMany(grant => grant.Privileges).ToList();
            var there = held.Where(row => row.Database == database && (!row.Own || asked.Contains(row.Privilege))).Select(row => row.Privilege).ToList();
            return (Database: database, Privileges: InOrder(there, asked).ToList());
        }).Where(grant => grant.Privileges.Count > 0).Select(grant => new JsonObject { ["database"] = grant.Database, ["privileges"] = List(grant.Privileges) })]);
    }

    private static IReadOnlyList<(string Database, IReadOnlyList<string> Privileges)> Grants(JsonNode? grants) =>
        [.. (grants as JsonArray ?? []).Select(grant => ((string)grant!["database"]!, Texts(grant["privileges"])))];

    private static List<(string Database, string Privilege)> Single(IEnumerable<(string Database, IReadOnlyList<string> Privileges)> grants) =>
        [.. grants.SelectMany(grant => grant.Privileges.Select(privilege => (grant.Database, privilege)))];
}
