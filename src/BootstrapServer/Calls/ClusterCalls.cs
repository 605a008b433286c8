using Grpc.Core;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What this server is and can do. A capability is claimed only when the calls behind it are answered.</summary>
internal sealed class ClusterCalls(BootstrapServerOptions options) : IProtocolCalls
{
    /// <summary>The server release whose behaviour is the model; clients compare it with what they support.</summary>
    private const string ServerVersion = "1.31.2";

    public string Service => WorkflowServiceName.Name;

    public static Task<GetSystemInfoResponse> GetSystemInfo(GetSystemInfoRequest request, ServerCallContext context) =>
        Task.FromResult(new GetSystemInfoResponse
        {
            ServerVersion = ServerVersion,
            Capabilities = new GetSystemInfoResponse.Types.Capabilities
            {
                SignalAndQueryHeader = true,
                InternalErrorDifferentiation = true,
                ActivityFailureIncludeHeartbeat = true,
                EncodedFailureAttributes = true,
                UpsertMemo = true,
                EagerWorkflowStart = true,
                SdkMetadata = true,
                SupportsSchedules = true,
                CountGroupByExecutionStatus = true,
                // SDKs name their build in history only to servers that say so.
                BuildIdBasedVersioning = true,
            },
        });

    public Task<GetClusterInfoResponse> GetClusterInfo(GetClusterInfoRequest request, ServerCallContext context) =>
        Task.FromResult(new GetClusterInfoResponse
        {
            ServerVersion = ServerVersion,
            ClusterId = OperatorCalls.ClusterId,
            ClusterName = options.Cluster,
            HistoryShardCount = 1,
            PersistenceStore = options.DatabaseFile is null ? "memory" : "sqlite",
            VisibilityStore = "memory",
            InitialFailoverVersion = Replication.Initial(options.Cluster, options.Clusters),
            FailoverVersionIncrement = 10,
            SupportedClients = { ["temporal-cli"] = "<2.0.0", ["temporal-go"] = "<2.0.0", ["temporal-java"] = "<2.0.0", ["temporal-php"] = "<3.0.0", ["temporal-python"] = "<2.0.0", ["temporal-server"] = "<2.0.0", ["temporal-typescript"] = "<2.0.0", ["temporal-ui"] = "<3.0.0" },
        });
}
