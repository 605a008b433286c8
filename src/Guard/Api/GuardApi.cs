using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard.Backups;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Traffic;

namespace PlatformOps.Guard.Api;

/// <summary>The guard over HTTPS with mutual TLS: everybody with a certificate of the authority may look, those whom the configuration names may act.</summary>
internal static class GuardApi
{
    /// <summary>Of a look at an order: shorter than what connections are closed after that carry nothing.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(GuardAgent agent, GuardConfiguration configuration, ILogger log, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);
        var certificate = Certificates.Load(configuration.Tls.Certificate, configuration.Tls.Key);
        var authorities = Certificates.Authorities(configuration.Tls);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPEndPoint.Parse(configuration.Api.Listen), listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = certificate,
                ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                ClientCertificateValidation = (presented, _, _) => Certificates.NameOf(presented, authorities) is not null,
            });
        }));
        await using var app = builder.Build();
        app.MapGet("/v1/status", context => LookAsync(agent, context));
        app.MapGet("/metrics", context => MetricsEndpoint.AnswerAsync(context, agent.Metrics));
        Map("/v1/fence", call => agent.FenceAsync(call.Epoch, TimeSpan.FromMilliseconds(call.Body.DrainMs), call.Aborted));
        Map("/v1/unfence", call => agent.UnfenceAsync(call.Epoch, call.Aborted));
        Map("/v1/promote", call => agent.PromoteAsync(call.Epoch, call.Aborted));
        Map("/v1/follow", call => agent.FollowAsync(call.Body.Primary ?? "", call.Epoch, call.Aborted));
        Map("/v1/synchronous", call => agent.SetSynchronousAsync(call.Body.Synchronous, call.Epoch, call.Aborted));
        Map("/v1/place", call => agent.PlaceAsync(Operation(call), call.Epoch, call.Aborted));
        Map("/v1/putBack", call => agent.PutBackAsync(Operation(call), call.Epoch, call.Aborted));
        Map("/v1/divergence", call => agent.ExportAsync(call.Body.Primary ?? "", call.Epoch, call.Aborted));
        Func<HttpContext, Task<(int Status, object? Answer)>> begin = context => BeginAsync(agent, configuration, context), find = context => FindAsync(agent, configuration, context);
        app.MapPost("/v1/backups", context => ActAsync(context, configuration, log, begin));
        app.MapGet("/v1/backups", context => ActAsync(context, configuration, log, find));
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException failure)
        {
            throw new GuardException($"The guard cannot listen on {configuration.Api.Listen}: {failure.Message}. Free the port, or configure another one.", failure);
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, ct).ContinueWith(_ => { }, TaskScheduler.Default);
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);

        void Map<T>(string path, Func<GuardCall, Task<T>> act)
        {
            Func<HttpContext, Task<(int Status, object? Answer)>> change = context => ChangeAsync(context, act);
            app.MapPost(path, context => ActAsync(context, configuration, log, change));
        }
    }

    /// <summary>Answers at once, or when the node is no longer as the caller knows it. While it waits it writes a blank now and then, so that a caller sees a frozen guard.</summary>
    private static async Task LookAsync(GuardAgent agent, HttpContext context)
    {
        var known = context.Request.Query["known"].ToString();
        var patience = Patience(context.Request.Query, TimeSpan.FromMinutes(10));
        context.Response.ContentType = "application/json";
        var (clock, ct) = (SuspendAwareClock.Instance, context.RequestAborted);
        var started = clock.GetTimestamp();
        while (known.Length > 0 && clock.GetElapsedTime(started) < patience)
        {
            var change = agent.NextChange;
            // What was half of a change when it was read is read again.
            if (agent.Now.StateText() != known && agent.Settled && !change.IsCompleted)
                break;
            await Task.WhenAny(change, Task.Delay(GuardWire.BlankEvery, clock, ct));
            if (change.IsCompleted)
                continue;
            await context.Response.WriteAsync(" ", ct);
            await context.Response.Body.FlushAsync(ct);
        }

        await context.Response.WriteAsync(JsonSerializer.Serialize(agent.Now, GuardWire.Json), ct);
    }

    private static async Task<(int Status, object? Answer)> ChangeAsync<T>(HttpContext context, Func<GuardCall, Task<T>> act)
    {
        var body = await context.Request.ReadFromJsonAsync<GuardOrder>(GuardWire.Json, context.RequestAborted) ?? new();
        return body.Epoch <= 0
            ? (400, new GuardRefusal("epoch is missing: every change carries the epoch that it is made for."))
            : (200, await act(new(body, context.RequestAborted)));
    }

    private static async Task<(int Status, object? Answer)> BeginAsync(GuardAgent agent, GuardConfiguration configuration, HttpContext context) =>
        (200, Backups(agent, configuration).Begin(await context.Request.ReadFromJsonAsync<BackupOrder>(GuardWire.Json, context.RequestAborted) ?? new()));

    private static async Task ActAsync(HttpContext context, GuardConfiguration configuration, ILogger log, Func<HttpContext, Task<(int Status, object? Answer)>> act)
    {
        var (status, answer) = await AnswerAsync();
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(JsonSerializer.Serialize(answer, GuardWire.Json), CancellationToken.None);

        async Task<(int Status, object? Answer)> AnswerAsync()
        {
            var caller = context.Connection.ClientCertificate?.GetNameInfo(X509NameType.SimpleName, forIssuer: false) ?? "";
            if (!configuration.Api.Operators!.Contains(caller))
                return (403, new GuardRefusal($"{configuration.Node} takes no orders from {caller}: its certificate's name is not in api.operators."));
            try
            {
                return await act(context);
            }
            catch (GuardException failure)
            {
                log.LogWarning("{Failure}", failure.Message);
                return (failure.Refused ? 409 : 500, new GuardRefusal(failure.Message));
            }
            catch (AdapterException failure)
            {
                return (503, new GuardRefusal(failure.Message));
            }
            catch (JsonException failure)
            {
                return (400, new GuardRefusal($"The call's body cannot be understood: {failure.Message}"));
            }
            catch (OperationCanceledException)
            {
                return (503, new GuardRefusal($"A later call to {configuration.Node} took this one's place. Look what the node is now."));
            }
        }
    }

    /// <summary>Answers at once, or when the order has ended or the caller's patience has.</summary>
    private static async Task<(int Status, object? Answer)> FindAsync(GuardAgent agent, GuardConfiguration configuration, HttpContext context)
    {
        var (query, backups) = (context.Request.Query, Backups(agent, configuration));
        return Enum.TryParse<BackupJobKind>(query["kind"], ignoreCase: true, out var kind)
            && await backups.FindAsync(query["operation"].ToString(), kind, Patience(query, LongestWait), context.RequestAborted) is { } job
            ? (200, job)
            : (404, new GuardRefusal($"{configuration.Node} knows nothing of {query["kind"]} of {query["operation"]}: give the order again."));
    }

    private static TimeSpan Patience(IQueryCollection query, TimeSpan longest) =>
        int.TryParse(query["patienceMs"], out var asked) && asked > 0 ? TimeSpan.FromMilliseconds(Math.Min(asked, longest.TotalMilliseconds)) : TimeSpan.Zero;

    private static string Operation(GuardCall call) =>
        call.Body.Operation is { Length: > 0 } operation && operation.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_')
            ? operation : throw new GuardException("operation is missing, or is no id of an operation: whose restored data is meant.") { Refused = true };

    private static BackupJobs Backups(GuardAgent agent, GuardConfiguration configuration) =>
        agent.Backups ?? throw new GuardException($"{configuration.Node} makes no backups: state backup in its configuration.") { Refused = true };

    private sealed record GuardCall(GuardOrder Body, CancellationToken Aborted)
    {
        public long Epoch => Body.Epoch;
    }
}
