using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using PlatformOps.BootstrapServer.Protocol;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Calls of any gRPC client: nothing is asked before them, no retries.</summary>
internal static class RawCalls
{
    public const string WorkflowService = "temporal.api.workflowservice.v1.WorkflowService";
    public const string OperatorService = "temporal.api.operatorservice.v1.OperatorService";

    public static async Task<TResponse> CallAsync<TResponse>(this GrpcChannel channel, string service, string call, IMessage request, Metadata? headers = null)
        where TResponse : class, IMessage<TResponse>, new()
    {
        var method = new Method<IMessage, TResponse>(
            MethodType.Unary, service, call, Marshallers.Create<IMessage>(message => message.ToByteArray(), _ => throw new NotSupportedException()), ProtobufMarshaller<TResponse>.Instance);
        return await channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(headers), request);
    }

    public static async Task<StatusCode> StatusOfAsync(Func<Task> call)
    {
        try
        {
            await call();
            return StatusCode.OK;
        }
        catch (RpcException refused)
        {
            return refused.StatusCode;
        }
    }
}
