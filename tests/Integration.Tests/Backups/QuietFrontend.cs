using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A frontend that passes every call on to a server but one, which it refuses as a server does that has not seen a worker, or does not answer.</summary>
internal sealed class QuietFrontend : IAsyncDisposable
{
    private readonly HttpMessageInvoker client = new(new SocketsHttpHandler());
    private readonly WebApplication web;
    private int kept;

    private QuietFrontend(string server, string call, bool silent)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        web = builder.Build();
        web.Run(async context =>
        {
            if (!context.Request.Path.Value!.EndsWith($"/{call}", StringComparison.Ordinal))
            {
                await PassAsync(server, context);
                return;
            }

            Interlocked.Increment(ref kept);
            if (silent)
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            context.Response.ContentType = "application/grpc";
            context.Response.AppendTrailer("grpc-status", "9");
            context.Response.AppendTrailer("grpc-message", "no poller seen for task queue recently, worker may be down");
        });
    }

    public string Address => new Uri(web.Urls.Single()).Authority;

    /// <summary>How many calls were not passed on.</summary>
    public int Kept => Volatile.Read(ref kept);

    /// <param name="call">The name of the call.</param>
    /// <param name="silent">Whether it waits until the caller gives up, instead of refusing.</param>
    public static async Task<QuietFrontend> StartAsync(string server, string call, bool silent)
    {
        var front = new QuietFrontend(server, call, silent);
        await front.web.StartAsync();
        return front;
    }

    public async ValueTask DisposeAsync()
    {
        await web.DisposeAsync();
        client.Dispose();
    }

    private async Task PassAsync(string server, HttpContext context)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{server}{context.Request.Path}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new StreamContent(context.Request.Body),
        };
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        foreach (var (name, values) in context.Request.Headers.Where(header => header.Key == "te" || header.Key.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase)))
            request.Headers.TryAddWithoutValidation(name, values.ToArray());
        using var response = await client.SendAsync(request, context.RequestAborted);
        context.Response.ContentType = "application/grpc";
        await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
        foreach (var (name, values) in response.Headers.Where(header => header.Key.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase)).Concat(response.TrailingHeaders))
            context.Response.AppendTrailer(name, values.ToArray());
    }
}
