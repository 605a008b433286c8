using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>One call that passed the proxy.</summary>
/// <param name="Path">With its query.</param>
public sealed record SeenCall(string Method, string Path, string Body)
{
    /// <summary>A review is sent by POST, and only asks.</summary>
    public bool Mutates => Method is not ("GET" or "HEAD" or "OPTIONS") && !Path.Contains("dryRun=All", StringComparison.Ordinal)
        && !Path.StartsWith("/apis/authorization.k8s.io/", StringComparison.Ordinal);
}

/// <summary>Stands between the product and an API server: sees every call on the wire, and can hold or answer one in the server's place.</summary>
public sealed class ApiProxy : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly HttpClient client;
    private readonly Uri target;
    private readonly ConcurrentQueue<SeenCall> seen = new();

    private ApiProxy(WebApplication app, HttpClient client, Uri target, string token)
    {
        (this.app, this.client, this.target, Token) = (app, client, target, token);
        app.Run(ForwardAsync);
    }

    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>What the API server behind accepts.</summary>
    public string Token { get; }

    public IReadOnlyList<SeenCall> Seen => [.. seen];

    public IReadOnlyList<SeenCall> Mutations => [.. seen.Where(call => call.Mutates)];

    /// <summary>Called before a call is passed on; an answer goes back instead of the server's.</summary>
    public Func<SeenCall, Task<(HttpStatusCode Status, string Body)?>>? Intercept { get; set; }

    /// <summary>Called when the server has answered a call, before the answer goes back.</summary>
    public Action<SeenCall>? Answered { get; set; }

    /// <summary>Whom the server behind is to take the caller for; null: the owner of <see cref="Token"/>, who may do everything. A real API server asks its authorizer about that account.</summary>
    public string? As { get; set; }

    /// <summary>Changes the path and query of a call before it is passed on.</summary>
    public Func<string, string>? Rewrite { get; set; }

    public static async Task<ApiProxy> StartAsync(Uri target, string token)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(Certificate())));
        var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator, AllowAutoRedirect = false };
        var proxy = new ApiProxy(builder.Build(), new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan }, target, token);
        await proxy.app.StartAsync();
        return proxy;
    }

    public void Forget() => seen.Clear();

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
        client.Dispose();
    }

    private static X509Certificate2 Certificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private async Task ForwardAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var call = new SeenCall(context.Request.Method, context.Request.Path + context.Request.QueryString.ToString(), await reader.ReadToEndAsync(context.RequestAborted));
        seen.Enqueue(call);
        if (Intercept is { } intercept && await intercept(call) is { } instead)
        {
            context.Response.StatusCode = (int)instead.Status;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(instead.Body, context.RequestAborted);
            return;
        }

        var path = context.Request.Path.ToUriComponent() + context.Request.QueryString;
        using var request = new HttpRequestMessage(new HttpMethod(call.Method), new Uri(target, Rewrite?.Invoke(path) ?? path));
        foreach (var name in new[] { "Accept", "Authorization" })
            request.Headers.TryAddWithoutValidation(name, context.Request.Headers[name].ToArray());
        if (As is { } account)
            request.Headers.Add("Impersonate-User", account);
        if (call.Body.Length > 0)
        {
            request.Content = new StringContent(call.Body);
            request.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(context.Request.ContentType!);
        }

        // What reached the server is done there, whether or not the caller still waits.
        var aborted = call.Mutates ? CancellationToken.None : context.RequestAborted;
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, aborted);
        Answered?.Invoke(call);
        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        foreach (var header in response.Headers.Where(header => header.Key == "Retry-After"))
            context.Response.Headers[header.Key] = header.Value.ToArray();
        // A watch's caller wants to know that it began, before anything happens.
        await context.Response.StartAsync(context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await using var body = await response.Content.ReadAsStreamAsync(aborted);
        var buffer = new byte[16 * 1024];
        for (int read; (read = await body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
