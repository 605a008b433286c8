using System.Globalization;
using Google.Protobuf;
using PlatformOps.Adapters.Temporal;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>The tables of a Temporal server that hold executions, histories and what is listed, with rows as the server writes them: the columns and messages of its schema for PostgreSQL 12.</summary>
internal static class TemporalTables
{
    public const string Database = "temporal", Visibility = "temporal_visibility";

    private const string Schema = """
        CREATE TABLE namespaces (partition_id integer NOT NULL, id bytea NOT NULL, name varchar(255) UNIQUE NOT NULL, notification_version bigint NOT NULL, data bytea NOT NULL, data_encoding varchar(16) NOT NULL,
          is_global boolean NOT NULL, PRIMARY KEY (partition_id, id));
        CREATE TABLE executions (shard_id integer NOT NULL, namespace_id bytea NOT NULL, workflow_id varchar(255) NOT NULL, run_id bytea NOT NULL, next_event_id bigint NOT NULL, last_write_version bigint NOT NULL,
          data bytea NOT NULL, data_encoding varchar(16) NOT NULL, state bytea NOT NULL, state_encoding varchar(16) NOT NULL, db_record_version bigint NOT NULL DEFAULT 0,
          PRIMARY KEY (shard_id, namespace_id, workflow_id, run_id));
        CREATE TABLE current_executions (shard_id integer NOT NULL, namespace_id bytea NOT NULL, workflow_id varchar(255) NOT NULL, run_id bytea NOT NULL, create_request_id varchar(255) NOT NULL, state integer NOT NULL,
          status integer NOT NULL, start_version bigint NOT NULL DEFAULT 0, start_time timestamp NULL, last_write_version bigint NOT NULL, data bytea NULL, data_encoding varchar(16) NOT NULL DEFAULT '',
          PRIMARY KEY (shard_id, namespace_id, workflow_id));
        CREATE TABLE history_node (shard_id integer NOT NULL, tree_id bytea NOT NULL, branch_id bytea NOT NULL, node_id bigint NOT NULL, txn_id bigint NOT NULL, prev_txn_id bigint NOT NULL DEFAULT 0, data bytea NOT NULL,
          data_encoding varchar(16) NOT NULL, PRIMARY KEY (shard_id, tree_id, branch_id, node_id, txn_id));
        CREATE TABLE visibility_tasks (shard_id integer NOT NULL, task_id bigint NOT NULL, data bytea NOT NULL, data_encoding varchar(16) NOT NULL, PRIMARY KEY (shard_id, task_id));
        INSERT INTO namespaces VALUES (54321, '\x01', 'orders', 1, '', 'Proto3', false);
        """;

    private const string ListSchema = """
        CREATE TABLE executions_visibility (namespace_id char(64) NOT NULL, run_id char(64) NOT NULL, start_time timestamp NOT NULL, execution_time timestamp NOT NULL, workflow_id varchar(255) NOT NULL,
          workflow_type_name varchar(255) NOT NULL, status integer NOT NULL, close_time timestamp NULL, history_length bigint NULL, encoding varchar(64) NOT NULL, task_queue varchar(255) NOT NULL DEFAULT '',
          PRIMARY KEY (namespace_id, run_id));
        """;

    /// <summary>Two executions: one that is open, which was reset from a run of before, and one that has ended, with a batch that was given up.</summary>
    /// <param name="sql">Carries a statement out in a database.</param>
    public static async Task CreateAsync(Func<string, string, Task> sql)
    {
        await CreateEmptyAsync(sql);
        var (open, closed, first, second) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await sql(Database, Execution("order-1", open, state: 2, events: 5, Branch(open, second, (first, 1, 4))));
        await sql(Database, Execution("order-2", closed, state: 3, events: 4, Branch(closed, first)));
        await sql(Database, string.Join(
            ' ', Node(open, first, 1, 10, EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled), Node(open, first, 3, 11, EventType.WorkflowTaskStarted),
            // The run that it was reset from went on.
            Node(open, first, 4, 12, EventType.WorkflowTaskCompleted, EventType.WorkflowExecutionCompleted), Node(open, second, 4, 13, EventType.WorkflowTaskFailed, EventType.WorkflowTaskScheduled),
            Node(closed, first, 1, 20, EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled), Node(closed, first, 3, 21, EventType.WorkflowTaskStarted),
            Node(closed, first, 3, 22, EventType.WorkflowExecutionCanceled, EventType.WorkflowExecutionTerminated), Node(closed, first, 4, 19, EventType.TimerStarted)));
        await sql(Visibility, Listed("order-1", open, 1) + Listed("order-2", closed, 2));
    }

    /// <summary>The tables, and nothing in them.</summary>
    /// <param name="sql">Carries a statement out in a database.</param>
    public static async Task CreateEmptyAsync(Func<string, string, Task> sql)
    {
        await sql("postgres", $"CREATE DATABASE {Database}");
        await sql("postgres", $"CREATE DATABASE {Visibility}");
        await sql(Database, Schema);
        await sql(Visibility, ListSchema);
    }

    /// <summary>Writes one execution, as it is listed too.</summary>
    /// <param name="events">Its history.</param>
    public static async Task AddAsync(Func<string, string, Task> sql, string workflow, string run, bool open, params EventType[] events)
    {
        var (id, branch) = (Guid.Parse(run), Guid.NewGuid());
        await sql(Database, Execution(workflow, id, open ? 2 : 3, events.Length, Branch(id, branch)) + Node(id, branch, 1, 10, events));
        await sql(Visibility, Listed(workflow, id, open ? 1 : 2));
    }

    private static string Execution(string workflow, Guid run, int state, int events, byte[] token)
    {
        // VersionHistories (54) of WorkflowExecutionInfo, with one history (2), which has its branch token (1).
        var info = Message(output =>
        {
            output.Bytes(9, System.Text.Encoding.UTF8.GetBytes("orders"));
            output.Bytes(54, Message(histories => histories.Bytes(2, Message(history => history.Bytes(1, token)))));
        });
        return string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO executions VALUES (1, '\\x01', '{workflow}', {Hex(run)}, {events + 1}, 0, {Hex(info)}, 'Proto3', {Hex(Message(output => output.Number(3, state)))}, 'Proto3'); INSERT INTO current_executions (shard_id, namespace_id, workflow_id, run_id, create_request_id, state, status, last_write_version) VALUES (1, '\\x01', '{workflow}', {Hex(run)}, '', {state}, 1, 0);");
    }

    private static byte[] Branch(Guid tree, Guid branch, params (Guid Id, long Begin, long End)[] ancestors) => Message(output =>
    {
        output.Bytes(1, System.Text.Encoding.UTF8.GetBytes($"{tree}"));
        output.Bytes(2, System.Text.Encoding.UTF8.GetBytes($"{branch}"));
        foreach (var (id, begin, end) in ancestors)
        {
            output.Bytes(3, Message(range =>
            {
                range.Bytes(1, System.Text.Encoding.UTF8.GetBytes($"{id}"));
                range.Number(2, begin);
                range.Number(3, end);
            }));
        }
    });

    private static string Node(Guid tree, Guid branch, long first, long transaction, params EventType[] events)
    {
        var history = new History { Events = { events.Select((type, index) => new HistoryEvent { EventId = first + index, EventType = type }) } };
        return string.Create(CultureInfo.InvariantCulture, $"INSERT INTO history_node VALUES (1, {Hex(tree)}, {Hex(branch)}, {first}, {transaction}, 0, {Hex(history.ToByteArray())}, '{PersistedExecutions.Encoding}');");
    }

    private static string Listed(string workflow, Guid run, int status) =>
        string.Create(CultureInfo.InvariantCulture, $"INSERT INTO executions_visibility VALUES ('ns', '{run}', now(), now(), '{workflow}', 'Order', {status}, NULL, NULL, 'Proto3', 'orders');");

    private static string Hex(Guid id) => Hex(id.ToByteArray(bigEndian: true));

    private static string Hex(byte[] bytes) => $"'\\x{Convert.ToHexString(bytes)}'";

    private static byte[] Message(Action<Fields> write)
    {
        using var written = new MemoryStream();
        using (var output = new CodedOutputStream(written, leaveOpen: true))
            write(new(output));
        return written.ToArray();
    }

    private readonly struct Fields(CodedOutputStream output)
    {
        public void Bytes(int field, byte[] value)
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(value));
        }

        public void Number(int field, long value)
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt64(value);
        }
    }
}
