using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Visibility;
using PlatformOps.BootstrapServer.Visibility.Filtering;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Worker.V1;

namespace PlatformOps.BootstrapServer.Workers;

/// <summary>Filters workers by what they report, in the grammar of list filters.</summary>
internal static class WorkerFilter
{
    private static readonly IReadOnlyDictionary<string, Func<WorkerHeartbeat, string>> Texts = new Dictionary<string, Func<WorkerHeartbeat, string>>
    {
        ["WorkerInstanceKey"] = w => w.WorkerInstanceKey,
        ["WorkerIdentity"] = w => w.WorkerIdentity,
        ["HostName"] = w => w.HostInfo?.HostName ?? "",
        ["DeploymentName"] = w => w.DeploymentVersion?.DeploymentName ?? "",
        ["BuildId"] = w => w.DeploymentVersion?.BuildId ?? "",
        ["SdkName"] = w => w.SdkName,
        ["SdkVersion"] = w => w.SdkVersion,
        ["WorkerStatus"] = w => w.Status.ToString(),
        ["Status"] = w => w.Status.ToString(),
        ["status"] = w => w.Status.ToString(),
    };

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: the message says what is wrong, and where.</exception>
    public static Func<WorkerHeartbeat, bool> Parse(string query)
    {
        if (query.Length == 0)
            return _ => true;
        try
        {
            var filter = FilterParser.Parse(query, Attribute);
            return worker => filter.Accepts(Record(worker));
        }
        catch (FilterException e)
        {
            throw ServiceError.InvalidArgument(e.Message);
        }
    }

    private static AttributeReader? Attribute(string name) => name switch
    {
        "TaskQueue" => new AttributeReader(name, IndexedValueType.Keyword),
        "StartTime" or "HeartbeatTime" => new AttributeReader(name, IndexedValueType.Datetime),
        _ => Texts.ContainsKey(name) ? new AttributeReader(name, IndexedValueType.Keyword) : null,
    };

    /// <summary>The worker as a record that filters know how to read.</summary>
    private static ExecutionRecord Record(WorkerHeartbeat worker)
    {
        var values = new SearchAttributes();
        foreach (var (name, read) in Texts)
        {
            if (read(worker) is { Length: > 0 } text)
                values.IndexedFields[name] = JsonPayload.Single(text);
        }
        if (worker.HeartbeatTime is { } at)
            values.IndexedFields["HeartbeatTime"] = JsonPayload.Single(at.ToDateTimeOffset().ToString("O"));
        return new ExecutionRecord
        {
            NamespaceId = "",
            WorkflowId = "",
            RunId = "",
            WorkflowType = "",
            TaskQueue = worker.TaskQueue,
            Status = WorkflowExecutionStatus.Running,
            StartTime = worker.StartTime?.ToDateTimeOffset() ?? default,
            ExecutionTime = default,
            SearchAttributes = values,
        };
    }
}
