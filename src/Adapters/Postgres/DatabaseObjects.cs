using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Postgres;

/// <summary>Databases: <c>owner</c>, <c>encoding</c>, <c>connectionLimit</c>, <c>extensions</c>, <c>settings</c>.</summary>
/// <remarks>A database is made and marked under another name, and then gets its own: so nobody ever sees one of ours without its mark, whenever we die.</remarks>
internal sealed class DatabaseObjects() : PostgresKind("Database")
{
    private const string Unfinished = ".platformops";

    private const string All = """
        SELECT d.oid::text AS uid, d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding, d.datconnlimit AS "connectionLimit",
          shobj_description(d.oid, 'pg_database') AS comment, (SELECT to_json(s.setconfig) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole = 0) AS settings
        FROM pg_database d WHERE NOT d.datistemplate
        """;

    /// <summary>What somebody has put into a database: neither the server's own, nor a part of an extension.</summary>
    private const string Contents = """
        SELECT count(*) AS count FROM (
          SELECT 'pg_class'::regclass AS kind, oid, relnamespace AS space FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
          UNION ALL SELECT 'pg_namespace'::regclass, oid, oid FROM pg_namespace WHERE nspname <> 'public'
          UNION ALL SELECT 'pg_largeobject'::regclass, oid, 'public'::regnamespace FROM pg_largeobject_metadata
          UNION ALL SELECT 'pg_extension'::regclass, oid, 'public'::regnamespace FROM pg_extension WHERE extname <> 'plpgsql' AND extname <> ALL ($1)
        ) item JOIN pg_namespace n ON n.oid = item.space
        WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = item.kind AND d.objid = item.oid AND d.deptype = 'e')
        """;

    /// <summary>Who may not read the statistics does not see what kind of process it is. Ours end a moment after we have closed them.</summary>
    private const string Sessions = """
        SELECT count(*) AS count FROM pg_stat_activity
        WHERE datname = $1 AND backend_type IS DISTINCT FROM 'autovacuum worker' AND (usename = current_user AND application_name = $2) IS NOT TRUE
        """;

    protected override void Check(DeclaredFields fields)
    {
        _ = (fields.Text("owner"), fields.Text("encoding"), fields.Number("connectionLimit"), fields.Texts("extensions"));
        PostgresSettings.Check(fields);
    }

    public override async Task<IReadOnlyList<ObservedObject>> ListAsync(PostgresSession session, string region, IReadOnlyDictionary<string, JsonObject> wanted)
    {
        var found = new List<ObservedObject>();
        foreach (var row in await session.RowsAsync(All))
        {
            var (name, mark) = ((string)row["name"]!, PostgresMark.Read((string?)row["comment"]));
            // One that is being made is completed under its own name; only who does not want it sees what was left.
            if (name.EndsWith(Unfinished, StringComparison.Ordinal) && wanted.ContainsKey(name[..^Unfinished.Length]))
                continue;
            var declared = wanted.GetValueOrDefault(name) ?? mark.Spec;
            var (asked, before) = (Texts(declared["extensions"]), Texts(mark.Spec["extensions"]));
            var installed = mark.IsOurs && asked.Concat(before).Any() ? await ExtensionsAsync(session, name) : [];
            found.Add(mark.ToObserved(Address(region, name), (string)row["uid"]!, new()
            {
                ["owner"] = row["owner"]?.DeepClone(),
                ["encoding"] = row["encoding"]?.DeepClone(),
                ["connectionLimit"] = row["connectionLimit"]?.DeepClone(),
                // Extensions that somebody else added are theirs.
                ["extensions"] = List(InOrder([.. installed.Where(asked.Concat(before).Contains)], asked)),
                ["settings"] = PostgresSettings.Observed(row["settings"], declared["settings"]),
            }));
        }

        return found;
    }

    public override async Task CreateAsync(PostgresSession session, DesiredObject wanted)
    {
        var (name, spec) = (wanted.Address.Name, Spec(wanted.Manifest));
        var unfinished = name + Unfinished;
        if (await session.CountAsync("SELECT count(*) AS count FROM pg_database WHERE datname = $1", unfinished) == 0)
        {
            // The other template may hold what this site puts into its databases, and has their encoding.
            var encoding = (string?)spec["encoding"];
            await session.DoAsync($"CREATE DATABASE %I TEMPLATE template0{(encoding is null ? "" : " ENCODING %L")}", encoding is null ? [unfinished] : [unfinished, encoding]);
        }

        await session.DoAsync("ALTER DATABASE %I RESET ALL", unfinished);
        await SetAsync(session, unfinished, wanted, live: null);
        await session.DoAsync("ALTER DATABASE %I RENAME TO %I", unfinished, name);
    }

    public override Task ChangeAsync(PostgresSession session, DesiredObject wanted, ObservedObject live) => SetAsync(session, wanted.Address.Name, wanted, live);

    public override async Task<string?> WhyKeepAsync(PostgresSession session, ObservedObject live)
    {
        var name = live.Address.Name;
        if (await session.CountAsync(Sessions, name, PostgresServer.Application) is > 0 and var sessions)
            return $"{live.Address} is in use by {sessions} sessions. Let them end and retry, or skip the step to keep it.";
        if (await session.CountAsync("SELECT count(*) AS count FROM pg_replication_slots WHERE database = $1", name) is > 0 and var slots)
            return $"{live.Address} has {slots} replication slots, whose readers would lose their place. Remove them and retry, or skip the step to keep it.";
        var contents = 0L;
        await session.InDatabaseAsync(name, async there => contents = await there.CountAsync(Contents, Texts(live.Manifest["spec"]!["extensions"]).ToArray() as object));
        return contents == 0 ? null : $"{live.Address} holds {contents} tables, functions or other objects, which would be deleted with it. Move or delete them and retry, or skip the step to keep it.";
    }

    public override Task DropAsync(PostgresSession session, ObservedObject live) => session.DoAsync("DROP DATABASE %I", live.Address.Name);

    private static async Task<IReadOnlyList<string>> ExtensionsAsync(PostgresSession session, string database)
    {
        IReadOnlyList<string> names = [];
        await session.InDatabaseAsync(database, async there => names = [.. (await there.RowsAsync("SELECT extname AS name FROM pg_extension ORDER BY extname")).Select(row => (string)row["name"]!)]);
        return names;
    }

    /// <summary>Everything and the mark at once, and therefore in the database itself: extensions can be had only there.</summary>
    private static Task SetAsync(PostgresSession session, string name, DesiredObject wanted, ObservedObject? live) => session.InDatabaseAsync(name, inside => inside.AtOnceAsync(async () =>
    {
        var (spec, there) = (Spec(wanted.Manifest), live is null ? [] : Spec(live.Manifest));
        var (extensions, installed) = (Texts(spec["extensions"]), Texts(there["extensions"]));
        foreach (var extension in extensions.Except(installed))
            await inside.DoAsync("CREATE EXTENSION IF NOT EXISTS %I", extension);
        // In one statement, as one may need the other; without what else depends on them, which is somebody's.
        if (installed.Except(extensions).ToArray() is { Length: > 0 } dropped)
            await inside.DoAsync($"DROP EXTENSION IF EXISTS {string.Join(", ", dropped.Select(_ => "%I"))}", dropped);
        await PostgresSettings.ApplyAsync(inside, "DATABASE", name, spec["settings"], live);
        await inside.DoAsync("ALTER DATABASE %I CONNECTION LIMIT %s", name, $"{Number(spec["connectionLimit"]) ?? -1}");
        await inside.DoAsync("COMMENT ON DATABASE %I IS %L", name, PostgresMark.Of(wanted).Text);
        // Last: from then on it may be another's to change.
        if (spec["owner"] is { } owner && !JsonNode.DeepEquals(owner, there["owner"]))
            await inside.DoAsync("ALTER DATABASE %I OWNER TO %I", name, (string)owner!);
    }));
}
