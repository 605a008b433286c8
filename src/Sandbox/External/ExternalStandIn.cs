using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
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
using PlatformOps.Sandbox.Api;

namespace PlatformOps.Sandbox.External;

/// <summary>Services with an API of their own, on loopback, each below a path of one address: gitlab, artifactory, gravitee, authentik, datadog, newrelic, cloudflare, grafana, and the platform's prometheus
/// and elasticsearch. They have what they are
/// told to have, and answer a few calls each in the words of the real ones. One credential is good for all. They live in memory; what calls have made can be kept.</summary>
public sealed class ExternalStandIn : IAsyncDisposable
{
    private static readonly string[] Headers = ["Authorization", "PRIVATE-TOKEN", "DD-API-KEY", "DD-APPLICATION-KEY", "Api-Key"];
    private readonly WebApplication app;
    private readonly FaultInjection faults;
    private readonly DeclaredObjects objects = new();
    private readonly CloudflarePlayer cloudflare;
    private readonly IssuedCredentials issued = new();
    private readonly Dictionary<string, IExternalService> services;
    private readonly Func<string, string, CancellationToken, Task<string?>>? firstPassword;
    private readonly Func<CancellationToken, Task<string?>>? bucketRefusal;
    private Uri address = null!;

    private ExternalStandIn(int seed, string? file, string? token, Func<string, string, CancellationToken, Task<string?>>? firstPassword, SearchStorage? snapshots, Func<CancellationToken, Task<string?>>? bucketRefusal)
    {
        Snapshots = snapshots ?? new();
        this.bucketRefusal = bucketRefusal;
        (this.firstPassword, Token) = (firstPassword, token ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20)));
        faults = new(seed);
        cloudflare = new(file);
        services = new()
        {
            ["gitlab"] = new GitLabPlayer(objects),
            ["artifactory"] = new ArtifactoryPlayer(objects),
            ["gravitee"] = new GraviteePlayer(objects),
            ["authentik"] = new AuthentikPlayer(objects),
            ["datadog"] = new DatadogPlayer(objects),
            ["newrelic"] = new NewRelicPlayer(objects),
            ["cloudflare"] = cloudflare,
            ["grafana"] = new GrafanaPlayer(issued),
            ["prometheus"] = new PrometheusPlayer(objects),
            ["elasticsearch"] = new ElasticsearchPlayer(objects, Snapshots),
        };
        app = Build();
    }

    /// <summary>The credential that every service knows.</summary>
    public string Token { get; }

    /// <summary>Where Elasticsearch keeps its snapshots.</summary>
    public SearchStorage Snapshots { get; }

    /// <summary>The names of the services.</summary>
    public IEnumerable<string> Services => services.Keys;

    /// <param name="seed">Decides which calls faults hit.</param>
    /// <param name="file">Where the DNS records are kept; null: in memory.</param>
    /// <param name="token">The credential that every service knows; null: made up.</param>
    /// <param name="firstPassword">The password that whoever installed a service (first) gave a user of it (second); asked for when somebody logs in whom it does not know, null: there is no such user.</param>
    /// <param name="snapshots">Where its Elasticsearch keeps snapshots, when another one does too; null: by itself.</param>
    /// <param name="bucketRefusal">Asked before each call about snapshots: why the bucket refuses what Elasticsearch's nodes have in their keystores, in the words of S3; null: it lets them in.</param>
    public static async Task<ExternalStandIn> StartAsync(
        int seed = 1, string? file = null, string? token = null, Func<string, string, CancellationToken, Task<string?>>? firstPassword = null, SearchStorage? snapshots = null,
        Func<CancellationToken, Task<string?>>? bucketRefusal = null, CancellationToken ct = default)
    {
        var server = new ExternalStandIn(seed, file, token, firstPassword, snapshots, bucketRefusal);
        await server.app.StartAsync(ct);
        server.address = new(server.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    /// <summary>Where a service answers.</summary>
    public Uri Address(string service) => new(address, service + "/");

    /// <summary>Gives a service an object; fields of its API that are not stated are as usual there.</summary>
    /// <param name="kind">Of <c>external.platformops.io/v1</c>, for example <c>GitLabProject</c>.</param>
    /// <param name="spec">The declaration's <c>spec</c>.</param>
    public void Put(string kind, JsonObject spec) => objects.Put(kind, spec);

    /// <summary>For how long Cloudflare's new records are missing from its lists; default zero.</summary>
    public TimeSpan ListLag
    {
        get => cloudflare.ListLag;
        set => cloudflare.ListLag = value;
    }

    /// <summary>Has a service make a credential, as somebody did before.</summary>
    public (string Id, string Value) Issue(string service, string name) => issued.Give(service, name);

    /// <summary>Whether a service accepts a credential that it made.</summary>
    public bool Accepts(string service, string value) => issued.IsGood(service, value);

    /// <summary>Whether a service made a credential once, and refuses it now. What was made before it was started it does not know.</summary>
    public bool HasEnded(string service, string value) => issued.HasEnded(service, value);

    /// <summary>How many credentials that a service made are good.</summary>
    public int Issued(string service) => issued.Count(service);

    /// <summary>Sets the password of a user of Grafana.</summary>
    public void SetPassword(string user, string password) => issued.SetPassword(user, password);

    /// <summary>Whether a user of Grafana has a password.</summary>
    public bool HasPassword(string user, string password) => issued.HasPassword(user, password);

    /// <summary>Gives Cloudflare an empty zone.</summary>
    public void AddZone(string name) => cloudflare.AddZone(name);

    /// <summary>Makes calls go wrong from now on. A call's path begins with the service: <c>/gitlab/api/v4/projects</c>.</summary>
    public void Inject(Fault fault) => faults.Add(fault);

    /// <summary>Ends all faults.</summary>
    public void ClearFaults() => faults.Clear();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var built = builder.Build();
        built.Run(HandleAsync);
        return built;
    }

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            var fault = faults.Next(context.Request.Method, context.Request.Path.Value ?? "", changes: context.Request.Method != "GET");
            await FaultInjection.BeforeAsync(context, fault);
            if (bucketRefusal is not null && context.Request.Path.StartsWithSegments("/elasticsearch/_snapshot", StringComparison.Ordinal))
                Snapshots.Refusal = await bucketRefusal(context.RequestAborted);
            if (fault?.Kind == FaultKind.Page)
                await PageAsync(context);
            else if (fault?.Kind == FaultKind.Error)
                await ErrorAsync(context, fault);
            else
                await AnswerAsync(context, Answer(await IntroducedAsync(await ReadAsync(context.Request), context.RequestAborted)), fault?.Kind == FaultKind.CutAfterEffect);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went, or was cut off.
        }
    }

    /// <summary>Who logs in, or is asked about, for the first time has the password that he was installed with.</summary>
    private async Task<(string Service, ExternalCall Call)> IntroducedAsync((string Service, ExternalCall Call) read, CancellationToken ct)
    {
        if (firstPassword is null || services.GetValueOrDefault(read.Service) is not IPasswordUsers users)
            return read;
        foreach (var user in new[] { read.Call.Password is { } shown && shown != Token ? read.Call.User : null, users.Asked(read.Call) }.OfType<string>().Where(user => !users.Knows(user)))
            if (await firstPassword(read.Service, user, ct) is { } first)
                users.Give(user, first);
        return read;
    }

    private ExternalAnswer Answer((string Service, ExternalCall Call) read)
    {
        if (!services.TryGetValue(read.Service, out var service))
            return ExternalAnswer.Refusal(404, new JsonObject { ["message"] = $"The sandbox has no service {read.Service}." });
        var shown = issued.Shown(read.Service, Headers.Select(read.Call.Credential).OfType<string>()) ?? Token;
        return service.Refuse(read.Call, shown) ?? issued.Answer(read.Service, read.Call, shown) ?? service.Answer(read.Call)
            ?? ExternalAnswer.Refusal(501, new JsonObject { ["message"] = $"The sandbox does not play {read.Call.Method} /{string.Join('/', read.Call.Path)} of {read.Service}." });
    }

    private static async Task<(string, ExternalCall)> ReadAsync(HttpRequest request)
    {
        // A slash inside a part comes encoded, and only that is not decoded yet.
        var parts = (request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase)).ToList();
        using var reader = new StreamReader(request.Body);
        var text = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
        var credentials = Headers.Where(name => request.Headers.ContainsKey(name))
            .ToDictionary(name => name, name => request.Headers[name].ToString().Replace("Bearer ", "", StringComparison.Ordinal));
        return (parts.FirstOrDefault() ?? "", new(
            request.Method, [.. parts.Skip(1)], name => request.Query[name].FirstOrDefault(), name => credentials.GetValueOrDefault(name), text.Length == 0 ? null : JsonNode.Parse(text)));
    }

    private static async Task AnswerAsync(HttpContext context, ExternalAnswer answer, bool cut)
    {
        if (cut)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.Text is null ? "application/json" : "text/plain";
        await context.Response.WriteAsync(answer.Text ?? JsonSerializer.Serialize(answer.Json), context.RequestAborted);
    }

    private static Task ErrorAsync(HttpContext context, Fault fault)
    {
        context.Response.StatusCode = fault.StatusCode;
        if (fault.RetryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = $"{seconds}";
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync("""{"message":"injected by the sandbox"}""", context.RequestAborted);
    }

    private static Task PageAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html";
        return context.Response.WriteAsync("<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>", context.RequestAborted);
    }
}
