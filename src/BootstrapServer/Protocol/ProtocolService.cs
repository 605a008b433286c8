using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>Stands for one gRPC service when routes are mapped; the handlers live in <see cref="IProtocolCalls"/> classes.</summary>
/// <typeparam name="TName">A marker per service.</typeparam>
internal sealed class ProtocolService<TName>
    where TName : IServiceName;

/// <summary>
/// Binds the methods that answer calls: the SDK's package has message types but no server base classes. Runs once per
/// service when the host starts.
/// </summary>
internal sealed class ProtocolMethods<TName>(IEnumerable<IProtocolCalls> areas, IStore store, ILogger<ProtocolMethods<TName>> log)
    : IServiceMethodProvider<ProtocolService<TName>>
    where TName : IServiceName
{
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "Messages are classes, so that one compiled method serves all, and the calls that name them keep them whole.")]
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<ProtocolService<TName>> context)
    {
        foreach (var (name, (area, method)) in Handlers())
        {
            var response = method.ReturnType.GetGenericArguments()[0];
            var bind = GetType().GetMethod(nameof(Bind), BindingFlags.Instance | BindingFlags.NonPublic)!
                .MakeGenericMethod(method.GetParameters()[0].ParameterType, response);
            bind.Invoke(this, [context, name, area, method]);
        }
    }

    private Dictionary<string, (IProtocolCalls Area, MethodInfo Method)> Handlers()
    {
        var handlers = new Dictionary<string, (IProtocolCalls, MethodInfo)>();
        foreach (var area in areas.Where(a => a.Service == TName.Name))
        {
            foreach (var method in ProtocolCalls.Of(area))
            {
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

    private void Bind<TRequest, TResponse>(ServiceMethodProviderContext<ProtocolService<TName>> context, string name, IProtocolCalls area, MethodInfo handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var fullName = $"{TName.Name}/{name}";
        var method = new Method<TRequest, TResponse>(
            MethodType.Unary, TName.Name, name, ProtobufMarshaller<TRequest>.Instance, ProtobufMarshaller<TResponse>.Instance);
        var call = handler.CreateDelegate<Func<TRequest, ServerCallContext, Task<TResponse>>>(handler.IsStatic ? null : area);
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
                throw ServiceError.Internal($"{name}: {e.Message}");
            }
        });
    }
}
