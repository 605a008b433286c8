using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PlatformOps.BootstrapServer.Access;

/// <summary>Turns callers away who did not say who they are, before anything of their request is read. Health checks pass.</summary>
internal sealed class AccessGate(AccessOptions options, ILogger log, RequestDelegate next)
{
    private const string HealthChecks = "/grpc.health.v1.Health/";
    private const string Scheme = "Bearer ";

    private readonly Reloaded<ApiKeys>? keys = options.ApiKeyFile is { } file ? new Reloaded<ApiKeys>(log, AccessFiles.Keys, file) : null;

    /// <summary>The limits of the key that the caller showed; null when it has none.</summary>
    public static KeyScope? ScopeOf(HttpContext http) => http.Items.TryGetValue(typeof(KeyScope), out var scope) ? (KeyScope?)scope : null;

    public Task PassAsync(HttpContext http)
    {
        if (http.Request.Path.Value?.StartsWith(HealthChecks, StringComparison.Ordinal) == true)
            return next(http);
        // TLS has checked the certificate that was sent; sending none is left to this.
        if (options.ClientAuthorityFile is not null && http.Connection.ClientCertificate is null)
            return RefuseAsync(http, "a client certificate is needed, and the connection has none: give the client a certificate and its key");
        if (keys is null)
            return next(http);
        var offered = http.Request.Headers.Authorization.ToString();
        if (!offered.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return RefuseAsync(http, "an API key is needed, and the call has none: give the client one (TEMPORAL_API_KEY)");
        if (keys.Current.Find(offered[Scheme.Length..].Trim()) is not { } scope)
            return RefuseAsync(http, "the API key is not one of this server's");
        http.Items[typeof(KeyScope)] = scope;
        return next(http);
    }

    /// <summary>An answer of gRPC without a message: the status is all there is.</summary>
    private static Task RefuseAsync(HttpContext http, string why)
    {
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = ((int)StatusCode.Unauthenticated).ToString(CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString("Request unauthenticated: " + why + ".");
        return Task.CompletedTask;
    }
}
