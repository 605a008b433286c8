using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Postgres;

/// <summary>Replication slots: <c>type</c> (<c>physical</c> or <c>logical</c>), and for logical ones <c>plugin</c> and <c>database</c>.</summary>
/// <remarks>A slot has no comment, and a physical one no database. Marks stand in the table <c>platformops.marks</c> of the database that we log in to:
/// a row of its own for each slot, so that nobody writes over another's. The mark is there before the slot, which no transaction can take back.</remarks>
internal sealed class SlotObjects() : PostgresKind("ReplicationSlot")
{
    private const string Physical = "physical", Logical = "logical";

    protected override void Check(DeclaredFields fields)
    {
        var type = fields.Required("type");
        if (type is not (Physical or Logical))
            throw fields.Wrong("type", $"is {type}; possible are {Physical} and {Logical}");
        foreach (var field in new[] { "plugin", "database" })
            if (fields.Text(field) is not null != (type == Logical))
                throw fields.Wrong(field, type == Logical ? "is missing: a logical slot has one" : "is stated, which a physical slot does not have");
    }

    public override async Task<IReadOnlyList<ObservedObject>> ListAsync(PostgresSession session, string region, IReadOnlyDictionary<string, JsonObject> wanted)
    {
        var marks = await session.CountAsync("SELECT count(*) AS count FROM pg_tables WHERE schemaname = 'platformops' AND tablename = 'marks'") == 0
            ? []
            : (await session.RowsAsync("SELECT name, mark FROM platformops.marks WHERE kind = $1", Name)).ToDictionary(row => (string)row["name"]!, row => (string?)row["mark"]);
        var slots = await session.RowsAsync("SELECT slot_name AS name, slot_type AS type, plugin, database FROM pg_replication_slots WHERE NOT temporary");
        return
        [
            .. slots.Select(slot => PostgresMark.Read(marks.GetValueOrDefault((string)slot["name"]!)).ToObserved(
                Address(region, (string)slot["name"]!), uid: null, new(slot.Where(field => field.Key != "name" && field.Value is not null).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone()))))),
        ];
    }

    public override Task CreateAsync(PostgresSession session, DesiredObject wanted) => Spec(wanted.Manifest)["database"] is { } database
        ? session.InDatabaseAsync((string)database!, there => CreateAsync(there, session, wanted))
        : CreateAsync(session, session, wanted);

    /// <summary>Its fields are fixed, which leaves the mark.</summary>
    public override Task ChangeAsync(PostgresSession session, DesiredObject wanted, ObservedObject live) => MarkAsync(session, wanted);

    public override async Task<string?> WhyKeepAsync(PostgresSession session, ObservedObject live) =>
        await session.CountAsync("SELECT count(*) AS count FROM pg_replication_slots WHERE slot_name = $1 AND active", live.Address.Name) > 0
            ? $"{live.Address} is being read. Stop its reader and retry, or skip the step to keep it."
            : null;

    /// <summary>In one statement, which goes on when we do not.</summary>
    public override Task DropAsync(PostgresSession session, ObservedObject live) => session.DoAsync(
        "WITH mark AS (DELETE FROM platformops.marks WHERE kind = %L AND name = %L) SELECT pg_drop_replication_slot(%L)", Name, live.Address.Name, live.Address.Name);

    private async Task CreateAsync(PostgresSession there, PostgresSession marks, DesiredObject wanted)
    {
        var (name, spec) = (wanted.Address.Name, Spec(wanted.Manifest));
        // An attempt that died may still be creating it: a logical slot waits for every transaction to end. The lock goes with its session.
        await there.DoAsync("SELECT pg_advisory_lock(hashtext(%L))", $"{Name} {name}");
        if (await marks.CountAsync("SELECT count(*) AS count FROM pg_replication_slots WHERE slot_name = $1", name) > 0)
            throw new AdapterException(AdapterFailureKind.Exists, $"{wanted.Address} exists by now. Observe again.");
        await MarkAsync(marks, wanted);
        try
        {
            // A physical one keeps the log from the moment on at which its reader first comes.
            if ((string?)spec["type"] == Physical)
                await there.DoAsync("SELECT pg_create_physical_replication_slot(%L)", name);
            else
                await there.DoAsync("SELECT pg_create_logical_replication_slot(%L, %L)", name, (string)spec["plugin"]!);
        }
        catch (Npgsql.PostgresException failure) when (failure.SqlState == "42710")
        {
            // Somebody else's since we looked.
            await marks.DoAsync("DELETE FROM platformops.marks WHERE kind = %L AND name = %L", Name, name);
            throw;
        }
    }

    private Task MarkAsync(PostgresSession session, DesiredObject wanted) => session.AtOnceAsync(async () =>
    {
        await session.DoAsync("CREATE SCHEMA IF NOT EXISTS platformops");
        await session.DoAsync("CREATE TABLE IF NOT EXISTS platformops.marks (kind text, name text, mark text NOT NULL, PRIMARY KEY (kind, name))");
        await session.DoAsync("INSERT INTO platformops.marks VALUES (%L, %L, %L) ON CONFLICT (kind, name) DO UPDATE SET mark = excluded.mark", Name, wanted.Address.Name, PostgresMark.Of(wanted).Text);
    });
}
