using Google.Protobuf.Reflection;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>One gRPC service of the protocol. Its descriptor is asked for only when somebody wants the protocol described: that loads all of it.</summary>
internal interface IServiceName
{
    static abstract string Name { get; }

    static abstract ServiceDescriptor Descriptor { get; }
}

internal sealed class WorkflowServiceName : IServiceName
{
    public static string Name => "temporal.api.workflowservice.v1.WorkflowService";

    public static ServiceDescriptor Descriptor => Temporalio.Api.WorkflowService.V1.ServiceReflection.Descriptor.Services[0];
}

internal sealed class OperatorServiceName : IServiceName
{
    public static string Name => "temporal.api.operatorservice.v1.OperatorService";

    public static ServiceDescriptor Descriptor => Temporalio.Api.OperatorService.V1.ServiceReflection.Descriptor.Services[0];
}

internal sealed class TestServiceName : IServiceName
{
    public static string Name => "temporal.api.testservice.v1.TestService";

    public static ServiceDescriptor Descriptor => Temporalio.Api.TestService.V1.ServiceReflection.Descriptor.Services[0];
}
