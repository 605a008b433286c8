using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>Finds the calls that a class answers, by the shape of its methods.</summary>
internal static class ProtocolCalls
{
    private const string WholeAssembly = "The native executable keeps this assembly whole: TrimmerRootAssembly in NativeServer.csproj.";

    /// <summary>Adds every class of calls.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = WholeAssembly)]
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = WholeAssembly)]
    public static void AddAll(IServiceCollection services)
    {
        foreach (var area in typeof(IProtocolCalls).Assembly.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IProtocolCalls))))
            services.AddSingleton(typeof(IProtocolCalls), area);
    }

    public static IEnumerable<MethodInfo> Of(IProtocolCalls area) => Of(area.GetType());

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = WholeAssembly)]
    public static IEnumerable<MethodInfo> Of(Type area) => area
        .GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        .Where(method => method.GetParameters() is [_, { } second] && second.ParameterType == typeof(ServerCallContext));
}
