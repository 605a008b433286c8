using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace PlatformOps.Guard.Api;

/// <summary>The metrics for scrapers without a certificate, over HTTP without TLS, where the configuration names an address for it. An application of its own: nothing
/// that changes or shows anything else can be reached through it.</summary>
internal static class MetricsEndpoint
{
    /// <summary>Until it is cancelled.</summary>
    /// <param name="listen">Address and port; null: there is none, and this only waits.</param>
    /// <exception cref="GuardException">The address cannot be listened on.</exception>
    public static async Task RunAsync(string? listen, Func<string> write, CancellationToken ct)
    {
        if (listen is null)
        {
            await EndAsync(ct);
            return;
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPEndPoint.Parse(listen), endpoint => endpoint.Protocols = HttpProtocols.Http1));
        await using var app = builder.Build();
        app.MapGet("/metrics", context => AnswerAsync(context, write));
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException failure)
        {
            throw new GuardException($"The guard cannot listen on {listen} for metrics: {failure.Message}. Free the port, or configure another one.", failure);
        }

        await EndAsync(ct);
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);
    }

    /// <summary>The answer, over whichever way it was asked for.</summary>
    public static Task AnswerAsync(HttpContext context, Func<string> write)
    {
        context.Response.ContentType = GuardMetrics.ContentType;
        return context.Response.WriteAsync(write(), context.RequestAborted);
    }

    private static Task EndAsync(CancellationToken ct) => Task.Delay(Timeout.InfiniteTimeSpan, ct).ContinueWith(_ => { }, TaskScheduler.Default);
}
