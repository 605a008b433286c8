using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Tests.Protocol;

/// <summary>What tools that know nothing of Temporal ask a gRPC server.</summary>
public sealed class HealthAndReflectionTests(SharedServer server) : IDisposable
{
    private readonly GrpcChannel channel = GrpcChannel.ForAddress($"http://{server.Address}");

    public void Dispose() => channel.Dispose();

    [Theory]
    [InlineData("temporal.api.workflowservice.v1.WorkflowService")]
    [InlineData("temporal.api.operatorservice.v1.OperatorService")]
    [InlineData("")]
    public async Task Is_healthy(string service)
    {
        Assert.SkipWhen(SharedServer.IsOther && service.Length == 0, "Other servers know their services alone.");
        var health = await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest { Service = service }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
    }

    [Fact]
    public async Task Knows_the_health_of_no_other_service() =>
        Assert.Equal(StatusCode.NotFound, await RawCalls.StatusOfAsync(() => new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest { Service = "none" }).ResponseAsync));

    [Fact]
    public async Task Lists_its_services_and_describes_their_calls()
    {
        using var talk = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: TestContext.Current.CancellationToken);
        var services = (await AskAsync(talk, new ServerReflectionRequest { ListServices = "" })).ListServicesResponse.Service.Select(s => s.Name).ToList();
        Assert.Contains(RawCalls.WorkflowService, services);
        Assert.Contains(RawCalls.OperatorService, services);
        Assert.Contains("grpc.health.v1.Health", services);
        var described = await AskAsync(talk, new ServerReflectionRequest { FileContainingSymbol = RawCalls.WorkflowService });
        var names = described.FileDescriptorResponse.FileDescriptorProto.Select(Google.Protobuf.Reflection.FileDescriptorProto.Parser.ParseFrom)
            .SelectMany(file => file.Service).SelectMany(s => s.Method).Select(m => m.Name);
        Assert.Contains("StartWorkflowExecution", names);
        await talk.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task Says_by_name_what_it_does_not_implement()
    {
        Assert.SkipWhen(SharedServer.IsOther, "Other servers implement other calls.");
        var refused = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync<StartActivityExecutionResponse>(RawCalls.WorkflowService, "StartActivityExecution", new StartActivityExecutionRequest()));
        Assert.Equal(StatusCode.Unimplemented, refused.StatusCode);
        Assert.Contains("StartActivityExecution", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unimplemented, await RawCalls.StatusOfAsync(() => channel.CallAsync<StartWorkflowExecutionResponse>("no.such.Service", "Call", new StartWorkflowExecutionRequest())));
    }

    private static async Task<ServerReflectionResponse> AskAsync(AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> talk, ServerReflectionRequest question)
    {
        await talk.RequestStream.WriteAsync(question);
        Assert.True(await talk.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return talk.ResponseStream.Current;
    }
}
