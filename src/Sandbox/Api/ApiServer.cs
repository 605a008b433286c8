using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PlatformOps.Sandbox.Kinds;
using PlatformOps.Sandbox.Storage;

namespace PlatformOps.Sandbox.Api;

/// <summary>The Kubernetes API of one region, over HTTP on loopback.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ObjectStore store;
    private readonly KindRegistry kinds = new();
    private readonly ResourceCalls calls;
    private readonly ApiServerTokens tokens;
    private readonly X509Certificate2 certificate = LoopbackCertificate.Create();
    private long mutating;
    private long reading;

    private ApiServer(ObjectStore store, ApiServerTokens tokens, int seed, TimeProvider time)
    {
        (this.store, this.tokens) = (store, tokens);
        Faults = new(seed);
        calls = new(store, kinds, time);
        app = Build();
    }

    public FaultInjection Faults { get; }

    /// <summary>Over TLS, with <see cref="CertificateAuthority"/>.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Without TLS, for the sandbox's own controllers.</summary>
    public Uri PlainAddress { get; private set; } = null!;

    /// <summary>Whom to trust, as PEM.</summary>
    public string CertificateAuthority => certificate.ExportCertificatePem();

    /// <summary>Calls that may change something, other than those of the sandbox's own controllers; dry runs do not count.</summary>
    public long MutatingCalls => Interlocked.Read(ref mutating);

    /// <summary>All other calls, other than those of the sandbox's own controllers.</summary>
    public long ReadCalls => Interlocked.Read(ref reading);

    public static async Task<ApiServer> StartAsync(string? file, ApiServerTokens tokens, int seed, TimeProvider time, CancellationToken ct)
    {
        var server = new ApiServer(new ObjectStore(new ObjectJournal(file)), tokens, seed, time);
        try
        {
            server.calls.Start();
            await server.app.StartAsync(ct);
            var addresses = server.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address)).ToList();
            server.Address = addresses.Find(address => address.Scheme == Uri.UriSchemeHttps)!;
            server.PlainAddress = addresses.Find(address => address.Scheme == Uri.UriSchemeHttp)!;
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public void ResetCounters()
    {
        Interlocked.Exchange(ref mutating, 0);
        Interlocked.Exchange(ref reading, 0);
    }

    /// <summary>Forgets the changes kept for watches: those that are behind end with 410 Gone.</summary>
    public void Compact() => store.Compact();

    public async ValueTask DisposeAsync()
    {
        // Watches only end when they are told to.
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await app.StopAsync(patience.Token);
        await app.DisposeAsync();
        store.Dispose();
        certificate.Dispose();
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate));
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AllowSynchronousIO = false;
        });
        var built = builder.Build();
        built.Run(HandleAsync);
        return built;
    }

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            if (context.Request.Path.Value is "/healthz" or "/livez" or "/readyz")
                await context.Response.WriteAsync("ok");
            else
                await AnswerAsync(context);
        }
        catch (ApiFailure failure) when (!context.Response.HasStarted)
        {
            await Answer.FailureAsync(context, failure);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went: there is nobody to answer.
        }
        catch (Exception failure) when (!context.Response.HasStarted && failure is not OperationCanceledException)
        {
            await Answer.FailureAsync(context, new(500, "InternalError", $"Internal error occurred: {failure}"));
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        var own = tokens.IsControllers(context.Request);
        var changes = Changes(context.Request);
        var fault = own ? null : Faults.Next(context.Request.Method, path, changes);
        if (!own)
            Interlocked.Increment(ref changes ? ref mutating : ref reading);
        await FaultInjection.BeforeAsync(context, fault);
        if (fault?.Kind == FaultKind.Error)
            throw new ApiFailure(fault.StatusCode, ReasonOf(fault.StatusCode), MessageOf(fault.StatusCode)) { RetryAfter = fault.RetryAfterSeconds };
        if (!own && !tokens.IsUsers(context.Request))
            throw ApiFailure.Unauthorized();
        if (fault?.Kind == FaultKind.CutAfterEffect)
            await CarryOutUnheardAsync(context, path);
        else
            await CarryOutAsync(context, path);
    }

    private static string ReasonOf(int code) => code switch
    {
        401 => "Unauthorized",
        403 => "Forbidden",
        409 => "Conflict",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };

    private static string MessageOf(int code) => code switch
    {
        401 => "Unauthorized",
        403 => "the sandbox was told to forbid this call",
        429 => "Too many requests, please try again later.",
        _ => "the sandbox was told to fail this call",
    };

    private async Task CarryOutUnheardAsync(HttpContext context, string path)
    {
        var heard = context.Response.Body;
        context.Response.Body = Stream.Null;
        await CarryOutAsync(context, path);
        context.Response.Body = heard;
        context.Abort();
    }

    private Task CarryOutAsync(HttpContext context, string path)
    {
        if (context.Request.Method == "GET" && Discovery.Answer(path, kinds) is { } known)
            return Answer.JsonAsync(context, known);
        if (path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" && context.Request.Method == "POST")
            return AllowAsync(context);
        var request = ApiRequest.Parse(path, kinds) ?? throw ApiFailure.NoSuchPath();
        var query = context.Request.Query.ToDictionary(entry => entry.Key, entry => entry.Value.ToString());
        return calls.CarryOutAsync(context, request, query);
    }

    /// <summary>Whoever has a token may do everything here.</summary>
    private static async Task AllowAsync(HttpContext context)
    {
        var review = await RequestBody.ReadAsync(context.Request, context.RequestAborted) as JsonObject ?? [];
        review["status"] = new JsonObject { ["allowed"] = true };
        await Answer.JsonAsync(context, review, 201);
    }

    private static bool Changes(HttpRequest request) => request.Method is not ("GET" or "HEAD" or "OPTIONS") && request.Query["dryRun"] != "All"
        && !request.Path.StartsWithSegments("/apis/authorization.k8s.io");
}
