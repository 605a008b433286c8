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

    public override async Task CreateAsync(PostgresSession session, DesiredObject wanted)
    {
        await MarkAsync(session, wanted);
        var (name, spec) = (wanted.Address.Name, Spec(wanted.Manifest));
        try
        {
            // It keeps the log from the moment on at which its reader first comes.
            if ((string?)spec["type"] == Physical)
                await session.DoAsync("SELECT pg_create_physical_replication_slot(%L)", name);
            else
                await session.InDatabaseAsync((string)spec["database"]!, there => there.DoAsync("SELECT pg_create_logical_replication_slot(%L, %L)", name, (string)spec["plugin"]!));
        }
        catch (Exception failure) when (failure is Npgsql.PostgresException { SqlState: "42710" } or AdapterException { Kind: AdapterFailureKind.Exists })
        {
            // Somebody else's since we looked.
            await UnmarkAsync(session, name);
            throw;
        }
    }

    /// <summary>Its fields are fixed, which leaves the mark.</summary>
    public override Task ChangeAsync(PostgresSession session, DesiredObject wanted, ObservedObject live) => MarkAsync(session, wanted);

    public override async Task<string?> WhyKeepAsync(PostgresSession session, ObservedObject live) =>
        await session.CountAsync("SELECT count(*) AS count FROM pg_replication_slots WHERE slot_name = $1 AND active", live.Address.Name) > 0
            ? $"{live.Address} is being read. Stop its reader and retry, or skip the step to keep it."
            : null;

    public override async Task DropAsync(PostgresSession session, ObservedObject live)
    {
        await session.DoAsync("SELECT pg_drop_replication_slot(%L)", live.Address.Name);
        await UnmarkAsync(session, live.Address.Name);
    }

    private Task MarkAsync(PostgresSession session, DesiredObject wanted) => session.AtOnceAsync(async () =>
    {
        await session.DoAsync("CREATE SCHEMA IF NOT EXISTS platformops");
        await session.DoAsync("CREATE TABLE IF NOT EXISTS platformops.marks (kind text, name text, mark text NOT NULL, PRIMARY KEY (kind, name))");
        await session.DoAsync("INSERT INTO platformops.marks VALUES (%L, %L, %L) ON CONFLICT (kind, name) DO UPDATE SET mark = excluded.mark", Name, wanted.Address.Name, PostgresMark.Of(wanted).Text);
    });

    private Task UnmarkAsync(PostgresSession session, string name) => session.DoAsync("DELETE FROM platformops.marks WHERE kind = %L AND name = %L", Name, name);
}
