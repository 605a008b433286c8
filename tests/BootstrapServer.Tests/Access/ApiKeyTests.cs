using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using PlatformOps.BootstrapServer.Access;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.OperatorService.V1;
using Temporalio.Api.TestService.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Worker;
using RpcException = Temporalio.Exceptions.RpcException;

namespace PlatformOps.BootstrapServer.Tests.Access;

public sealed class ApiKeyTests : IAsyncLifetime
{
    private const string Everything = "key-for-everything-0001";
    private const string Staging = "key-for-staging-000001";

    private readonly string file = Path.GetTempFileName();
    private BootstrapServerHost server = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(file, $"# who: what\n{Everything}\n{Staging} staging\n");
        server = await BootstrapServerHost.StartAsync(new BootstrapServerOptions { Namespaces = ["default", "staging"], Access = new AccessOptions { ApiKeyFile = file } });
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        File.Delete(file);
    }

    [Fact]
    public async Task A_client_and_a_worker_with_a_key_run_workflows()
    {
        var client = await ConnectAsync(Staging, "staging");
        using var worker = new TemporalWorker(client, new TemporalWorkerOptions("keys").AddWorkflow<EchoWorkflow>());
        Assert.Equal("hello", await worker.ExecuteAsync(() => client.ExecuteWorkflowAsync((EchoWorkflow w) => w.RunAsync("hello"), new("keys", "keys"))));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("key-of-somebody-else-01")]
    [InlineData("key-for-everything-000")]
    public async Task Without_a_key_of_the_server_a_client_gets_health_and_nothing_else(string? key)
    {
        using var channel = GrpcChannel.ForAddress($"http://{server.Address}");
        var headers = key is null ? [] : new Metadata { { "authorization", $"Bearer {key}" } };
        Assert.Equal(
            HealthCheckResponse.Types.ServingStatus.Serving, (await channel.CallAsync<HealthCheckResponse>("grpc.health.v1.Health", "Check", new HealthCheckRequest(), headers)).Status);
        foreach (var (service, call, request) in new (string, string, IMessage)[]
        {
            (RawCalls.WorkflowService, "GetSystemInfo", new GetSystemInfoRequest()),
            (RawCalls.WorkflowService, "StartWorkflowExecution", new StartWorkflowExecutionRequest()),
            (RawCalls.OperatorService, "DeleteNamespace", new DeleteNamespaceRequest { Namespace = "staging" }),
            ("temporal.api.testservice.v1.TestService", "LockTimeSkipping", new LockTimeSkippingRequest()),
            ("grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo", new ServerReflectionRequest()),
        })
        {
            var refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => channel.CallAsync<DescribeNamespaceResponse>(service, call, request, headers));
            Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
            Assert.DoesNotContain("key-", refused.Status.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_for_a_namespace_opens_no_other_and_administers_nothing()
    {
        var client = await ConnectAsync(Staging, "staging");
        Assert.Equal(0, (await client.CountWorkflowsAsync("")).Count);
        foreach (var call in new Func<Task>[]
        {
            () => client.WorkflowService.CountWorkflowExecutionsAsync(new() { Namespace = "default" }),
            () => client.WorkflowService.ListNamespacesAsync(new()),
            () => client.WorkflowService.RegisterNamespaceAsync(new() { Namespace = "staging" }),
            () => client.WorkflowService.UpdateNamespaceAsync(new() { Namespace = "staging" }),
            () => client.OperatorService.DeleteNamespaceAsync(new() { Namespace = "staging" }),
            () => client.Connection.TestService.LockTimeSkippingAsync(new()),
        })
        {
            await Failures.RefusedAsync(RpcException.StatusCode.PermissionDenied, call);
        }
    }

    [Fact]
    public async Task A_key_for_a_namespace_cannot_answer_the_tasks_of_another_nor_reach_into_it()
    {
        var all = await ConnectAsync(Everything, "default");
        await all.StartWorkflowAsync("Any", [], new("token", "token"));
        var task = await all.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "default", TaskQueue = new() { Name = "token" } });
        var limited = await ConnectAsync(Staging, "staging");
        await Failures.RefusedAsync(RpcException.StatusCode.PermissionDenied, () => limited.WorkflowService.RespondWorkflowTaskCompletedAsync(new() { Namespace = "staging", TaskToken = task.TaskToken }));

        await limited.StartWorkflowAsync("Any", [], new("reach", "reach"));
        var own = await limited.WorkflowService.PollWorkflowTaskQueueAsync(new() { Namespace = "staging", TaskQueue = new() { Name = "reach" } });
#pragma warning disable CS0612 // Deprecated, and still honoured.
        var reach = new RespondWorkflowTaskCompletedRequest
        {
            Namespace = "staging",
            TaskToken = own.TaskToken,
            Commands =
            {
                new Temporalio.Api.Command.V1.Command
                {
                    CommandType = Temporalio.Api.Enums.V1.CommandType.SignalExternalWorkflowExecution,
                    SignalExternalWorkflowExecutionCommandAttributes = new()
                    {
                        Namespace = "default", Execution = new() { WorkflowId = "token" }, SignalName = "boo",
                    },
                },
            },
        };
#pragma warning restore CS0612
        await Failures.RefusedAsync(RpcException.StatusCode.PermissionDenied, () => limited.WorkflowService.RespondWorkflowTaskCompletedAsync(reach));
    }

    [Fact]
    public async Task Keys_are_read_again_when_the_file_changes_and_a_broken_file_changes_nothing()
    {
        var client = await ConnectAsync(Everything, "default");
        await File.WriteAllTextAsync(file, "short\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, "another-key-for-all-01\n", TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => Wait.FailsAsync(() => client.CountWorkflowsAsync("")));
        Assert.Equal(0, (await (await ConnectAsync("another-key-for-all-01", "default")).CountWorkflowsAsync("")).Count);

        await File.WriteAllTextAsync(file, "short\n", TestContext.Current.CancellationToken);
        var looks = TimeProvider.System.GetTimestamp();
        var renewed = await ConnectAsync("another-key-for-all-01", "default");
        await Wait.UntilAsync(async () =>
        {
            await renewed.CountWorkflowsAsync("");
            return TimeProvider.System.GetElapsedTime(looks) > TimeSpan.FromSeconds(1.5);
        });
    }

    private Task<TemporalClient> ConnectAsync(string key, string ns) => TemporalClient.ConnectAsync(new(server.Address) { ApiKey = key, Namespace = ns, Tls = new TlsOptions { Disabled = true } });
}
