using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using PlatformOps.Starter.CommandLine;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Connection;

/// <summary>
/// Tells Kubernetes how a worker is, over HTTP: <c>GET /healthz</c> is answered as long as the process works; <c>GET /readyz</c> says whether the Temporal server answers it (200 or 503), and whether it
/// polls or stands by. An unready worker must not be restarted: it goes on by itself when the server is back.
/// </summary>
internal sealed class WorkerHealth : IAsyncDisposable
{
    /// <summary>For the Temporal server's answer: shorter than the probes' own timeout of a second would be of no use on a busy network, much longer would only be cut off.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(900);

    private readonly WebApplication app;
    private volatile bool polls;

    private WorkerHealth(IPEndPoint listen, TemporalClient client)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(listen, endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        app = builder.Build();
        app.MapGet("/healthz", () => "alive");
        app.MapGet("/readyz", async call =>
        {
            var ready = await AnswersAsync(client, call.RequestAborted);
            call.Response.StatusCode = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            await call.Response.WriteAsJsonAsync(
                new { ready, polls, why = ready ? null : $"The Temporal server at {client.Connection.Options.TargetHost} does not answer." }, JsonOutput.Compact, call.RequestAborted);
        });
    }

    /// <summary>Whether tasks are polled for; false: it stands by, because another cluster is the active bootstrap cluster.</summary>
    public bool Polls { set => polls = value; }

    /// <summary>Listens from now on.</summary>
    /// <exception cref="CommandFailure">The address cannot be listened on.</exception>
    public static async Task<WorkerHealth> StartAsync(IPEndPoint listen, TemporalClient client, CancellationToken ct)
    {
        var health = new WorkerHealth(listen, client);
        try
        {
            await health.app.StartAsync(ct);
            return health;
        }
        catch (IOException failure)
        {
            await health.DisposeAsync();
            throw new CommandFailure(ExitCode.Invalid, $"The worker cannot listen on {listen} for health checks.", failure.Message, "Free the port, or write another one: --health HOST:PORT.", failure);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static async Task<bool> AnswersAsync(TemporalClient client, CancellationToken ct)
    {
        try
        {
            return await client.Connection.CheckHealthAsync(options: new() { CancellationToken = ct, Timeout = Patience, Retry = false });
        }
        catch (Exception failure) when (failure is RpcException or InvalidOperationException)
        {
            return false;
        }
    }
}
