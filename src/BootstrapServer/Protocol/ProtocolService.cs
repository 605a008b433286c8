using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>Stands for one gRPC service when routes are mapped; the handlers live in <see cref="IProtocolCalls"/> classes.</summary>
/// <typeparam name="TName">A marker per service.</typeparam>
internal sealed class ProtocolService<TName>
    where TName : IServiceName;

internal interface IServiceName
{
    static abstract ServiceDescriptor Descriptor { get; }
}

internal sealed class WorkflowServiceName : IServiceName
{
    public static ServiceDescriptor Descriptor { get; } =
        Temporalio.Api.WorkflowService.V1.ServiceReflection.Descriptor.Services[0];
}

internal sealed class OperatorServiceName : IServiceName
{
    public static ServiceDescriptor Descriptor { get; } =
        Temporalio.Api.OperatorService.V1.ServiceReflection.Descriptor.Services[0];
}

internal sealed class TestServiceName : IServiceName
{
    public static ServiceDescriptor Descriptor { get; } =
        Temporalio.Api.TestService.V1.ServiceReflection.Descriptor.Services[0];
}

/// <summary>
/// Binds every method of a service descriptor: the SDK's package has message types and descriptors but no server base
/// classes. Runs once per service when the host starts.
/// </summary>
internal sealed class ProtocolMethods<TName>(IEnumerable<IProtocolCalls> areas, IStore store, ILogger<ProtocolMethods<TName>> log)
    : IServiceMethodProvider<ProtocolService<TName>>
    where TName : IServiceName
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<ProtocolService<TName>> context)
    {
        var handlers = HandlersByName();
        foreach (var method in TName.Descriptor.Methods)
        {
            var bind = GetType().GetMethod(nameof(Bind), BindingFlags.Instance | BindingFlags.NonPublic)!
                .MakeGenericMethod(method.InputType.ClrType, method.OutputType.ClrType);
            bind.Invoke(this, [context, method, handlers.TryGetValue(method.Name, out var handler) ? handler : null]);
        }
    }

    private Dictionary<string, (IProtocolCalls Area, MethodInfo Method)> HandlersByName()
    {
        var handlers = new Dictionary<string, (IProtocolCalls, MethodInfo)>();
        foreach (var area in areas.Where(a => a.Service == TName.Descriptor))
        {
            foreach (var method in area.GetType().GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly))
            {
                if (method.GetParameters() is not [_, { } second] || second.ParameterType != typeof(ServerCallContext))
                    continue;
                if (TName.Descriptor.FindMethodByName(method.Name) is null)
                    throw new InvalidOperationException($"{area.GetType().Name}.{method.Name}: {TName.Descriptor.FullName} has no such call.");
                if (!handlers.TryAdd(method.Name, (area, method)))
                    throw new InvalidOperationException($"{method.Name} is answered by both {handlers[method.Name].Item1.GetType().Name} and {area.GetType().Name}.");
            }
        }
        return handlers;
    }

    /// <summary>An error says something of a run, too (it exists, it is closed): not before that is on disk.</summary>
    private async Task<RpcException> OnceDurableAsync(RpcException error)
    {
        try
        {
            await store.Flushed();
            return error;
        }
        catch (StorageException e)
        {
            return ServiceError.Unavailable(e.Message);
        }
    }

    private void Bind<TRequest, TResponse>(
        ServiceMethodProviderContext<ProtocolService<TName>> context,
        MethodDescriptor descriptor,
        (IProtocolCalls Area, MethodInfo Method)? handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var fullName = $"{TName.Descriptor.FullName}/{descriptor.Name}";
        var method = new Method<TRequest, TResponse>(
            MethodType.Unary, TName.Descriptor.FullName, descriptor.Name, ProtobufMarshaller<TRequest>.Instance, ProtobufMarshaller<TResponse>.Instance);
        if (handler is not { } found)
        {
            context.AddUnaryMethod(method, [], (_, _, _) => throw ServiceError.Unimplemented(fullName));
            return;
        }
        var call = found.Method.CreateDelegate<Func<TRequest, ServerCallContext, Task<TResponse>>>(found.Method.IsStatic ? null : found.Area);
        context.AddUnaryMethod(method, [], async (_, request, callContext) =>
        {
            try
            {
                return await call(request, callContext);
            }
            catch (RpcException e)
            {
                throw await OnceDurableAsync(e);
            }
            catch (OperationCanceledException) when (callContext.CancellationToken.IsCancellationRequested)
            {
                throw new RpcException(new Status(StatusCode.Cancelled, "The caller went away."));
            }
            catch (StorageException e)
            {
                throw ServiceError.Unavailable(e.Message);
            }
            catch (Exception e)
            {
                log.LogError(e, "{Call} failed", fullName);
                throw ServiceError.Internal($"{descriptor.Name}: {e.Message}");
            }
        });
    }
}
