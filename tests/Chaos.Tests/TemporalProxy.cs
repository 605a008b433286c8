using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PlatformOps.Sandbox;

namespace PlatformOps.Chaos.Tests;

/// <summary>Stands before a Temporal frontend and lets faults hit its calls. Each call is one question and one answer.</summary>
internal sealed class TemporalProxy : IAsyncDisposable
{
    private static readonly string[] Reading = ["Get", "List", "Describe", "Count", "Query", "Poll"];

    private readonly WebApplication app;
    private readonly HttpClient client = new(new SocketsHttpHandler()) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly Uri target;
    private readonly IReadOnlyList<Fault> faults;

    private TemporalProxy(WebApplication app, string target, IReadOnlyList<Fault> faults)
    {
        (this.app, this.target, this.faults) = (app, new($"http://{target}"), faults);
        app.Run(HandleAsync);
    }

    /// <summary><c>host:port</c>.</summary>
    public string Address => new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority;

    /// <param name="target">The frontend, <c>host:port</c>.</param>
    public static async Task<TemporalProxy> StartAsync(string target, IReadOnlyList<Fault> faults)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var proxy = new TemporalProxy(builder.Build(), target, faults);
        await proxy.app.StartAsync();
        return proxy;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
        client.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        var call = new FaultedCall(context.Request.Method, path, Changes: !Array.Exists(Reading, prefix => path[(path.LastIndexOf('/') + 1)..].StartsWith(prefix, StringComparison.Ordinal)));
        var hit = faults.FirstOrDefault(fault => fault.When!(call));
        if (hit?.Kind == FaultKind.Cut)
        {
            Cut(context);
            return;
        }

        try
        {
            using var question = new HttpRequestMessage(HttpMethod.Post, new Uri(target, path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            question.Content = new ByteArrayContent(body.ToArray());
            foreach (var header in context.Request.Headers.Where(header => !header.Key.StartsWith(':') && header.Key is not ("Host" or "Content-Length")))
            {
                if (!question.Headers.TryAddWithoutValidation(header.Key, header.Value.ToArray()))
                    question.Content.Headers.TryAddWithoutValidation(header.Key, header.Value.ToArray());
            }

            // What reached the server is done there, whether or not the caller still waits.
            using var answer = await client.SendAsync(question, call.Changes ? CancellationToken.None : context.RequestAborted);
            if (hit is null)
                await PassOnAsync(answer, context);
            else
                Cut(context);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            // Nobody is behind, or the caller has gone.
            Cut(context);
        }
    }

    private static async Task PassOnAsync(HttpResponseMessage answer, HttpContext context)
    {
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var header in answer.Headers.Concat(answer.Content.Headers).Where(header => header.Key != "Content-Length"))
            context.Response.Headers[header.Key] = header.Value.ToArray();
        foreach (var trailer in answer.TrailingHeaders)
            context.Response.AppendTrailer(trailer.Key, trailer.Value.ToArray());
        await context.Response.Body.WriteAsync(await answer.Content.ReadAsByteArrayAsync(), context.RequestAborted);
    }

    /// <summary>The whole connection, as when a process dies.</summary>
    private static void Cut(HttpContext context) => context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
}
