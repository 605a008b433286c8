using System.Collections.Frozen;
using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>Says of a call of the protocol that no class answers that it is not implemented, by its name and with the remedy.</summary>
internal sealed class UnansweredCalls(IEnumerable<IProtocolCalls> areas, RequestDelegate next)
{
    private static readonly string[] Services = [WorkflowServiceName.Name, OperatorServiceName.Name, TestServiceName.Name];

    private readonly FrozenSet<string> answered = areas.SelectMany(area => ProtocolCalls.Of(area).Select(call => $"/{area.Service}/{call.Name}")).ToFrozenSet();

    public Task PassAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "";
        if (answered.Contains(path) || !Array.Exists(Services, name => path.StartsWith($"/{name}/", StringComparison.Ordinal)))
            return next(http);
        var refusal = ServiceError.Unimplemented(path[1..]);
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = ((int)StatusCode.Unimplemented).ToString(CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString(refusal.Status.Detail);
        return Task.CompletedTask;
    }
}
