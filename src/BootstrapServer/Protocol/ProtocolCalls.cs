using System.Reflection;
using Grpc.Core;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>Finds the calls that a class answers, by the shape of its methods.</summary>
internal static class ProtocolCalls
{
    public static IEnumerable<MethodInfo> Of(IProtocolCalls area) => Of(area.GetType());

    public static IEnumerable<MethodInfo> Of(Type area) => area
        .GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        .Where(method => method.GetParameters() is [_, { } second] && second.ParameterType == typeof(ServerCallContext));
}
