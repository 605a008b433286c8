using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Vault.Core;

namespace PlatformOps.Sandbox.Vault.Http;

/// <summary>Vault's HTTP API on loopback: reads requests, lets faults hit them, writes answers.</summary>
internal sealed class VaultHttp : IAsyncDisposable
{
    /// <summary>As Vault: larger requests are refused.</summary>
    private const int LargestBody = 32 << 20;

    private readonly VaultCore core;
    private readonly WebApplication app;
    private readonly X509Certificate2 certificate = LoopbackCertificate.Create();

    private VaultHttp(VaultCore core, FaultInjection faults, bool tls)
    {
        (this.core, Faults) = (core, faults);
        app = Build(tls);
    }

    public FaultInjection Faults { get; }

    public Uri Address { get; private set; } = null!;

    public string CertificateAuthority => certificate.ExportCertificatePem();

    public static async Task<VaultHttp> StartAsync(VaultCore core, FaultInjection faults, bool tls, CancellationToken ct)
    {
        var http = new VaultHttp(core, faults, tls);
        try
        {
            await http.app.StartAsync(ct);
            http.Address = new(http.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
            return http;
        }
        catch
        {
            await http.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await app.StopAsync(patience.Token);
        await app.DisposeAsync();
        certificate.Dispose();
    }

    private WebApplication Build(bool tls)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                if (tls)
                    listen.UseHttps(certificate);
            });
            kestrel.Limits.MaxRequestBodySize = LargestBody;
        });
        var built = builder.Build();
        built.Run(HandleAsync);
        return built;
    }

    private async Task HandleAsync(HttpContext context)
    {
        var fault = Faults.Next(context.Request.Method, context.Request.Path.Value ?? "/", context.Request.Method is not ("GET" or "LIST" or "HEAD"));
        try
        {
            await FaultInjection.BeforeAsync(context, fault);
            var answer = fault?.Kind == FaultKind.Error ? Told(fault) : await AnswerAsync(context);
            if (fault?.Kind == FaultKind.CutAfterEffect)
                context.Abort();
            else
                await WriteAsync(context, answer);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went: there is nobody to answer.
        }
    }

    private async Task<VaultAnswer> AnswerAsync(HttpContext context)
    {
        try
        {
            return await core.AnswerAsync(await ReadAsync(context.Request, context.RequestAborted), context.RequestAborted);
        }
        catch (VaultFailure failure)
        {
            return VaultAnswer.Of(failure);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            return VaultAnswer.Of(new VaultFailure(500, $"internal error: {failure.GetType().Name}: {failure.Message}"));
        }
    }

    private static VaultAnswer Told(Fault fault) => VaultAnswer.Of(new VaultFailure(fault.StatusCode, fault.StatusCode switch
    {
        403 => "1 error occurred:\n\t* permission denied\n\n",
        412 => "required index state not present",
        429 => "request path rate limit quota exceeded",
        503 => "Vault is sealed",
        _ => "the sandbox was told to fail this call",
    })
    { RetryAfter = fault.RetryAfterSeconds });

    private static async Task<VaultRequest> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        var path = request.Path.Value ?? "";
        if (!path.StartsWith("/v1/", StringComparison.Ordinal))
            throw new VaultFailure(404);
        path = path["/v1/".Length..];
        var operation = request.Method switch
        {
            "GET" when request.Query["list"] == "true" => VaultOperation.List,
            "GET" or "HEAD" => VaultOperation.Read,
            "LIST" => VaultOperation.List,
            "POST" or "PUT" => VaultOperation.Update,
            "DELETE" => VaultOperation.Delete,
            _ => throw VaultFailure.UnsupportedOperation(),
        };
        var token = request.Headers["X-Vault-Token"].ToString();
        if (token.Length == 0 && request.Headers.Authorization.ToString() is var header && header.StartsWith("Bearer ", StringComparison.Ordinal))
            token = header["Bearer ".Length..].Trim();
        var space = request.Headers["X-Vault-Namespace"].ToString();
        var raw = operation == VaultOperation.Update && path.StartsWith("sys/storage/raft/snapshot", StringComparison.Ordinal);
        return new(operation, operation == VaultOperation.List ? path.TrimEnd('/') + "/" : path, raw ? [] : await FieldsAsync(request, ct))
        {
            Raw = raw ? await BytesAsync(request, ct) : [],
            Token = token.Length == 0 ? null : token,
            Namespace = space.Length == 0 ? null : space,
        };
    }

    private static async Task<byte[]> BytesAsync(HttpRequest request, CancellationToken ct)
    {
        using var content = new MemoryStream();
        await request.Body.CopyToAsync(content, ct);
        return content.ToArray();
    }

    private static async Task<JsonObject> FieldsAsync(HttpRequest request, CancellationToken ct)
    {
        // What a read or a deletion says, it says in its query.
        if (request.Method is "GET" or "LIST" or "DELETE" or "HEAD")
            return new(request.Query.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value.ToString())));
        using var reader = new StreamReader(request.Body);
        var text = await reader.ReadToEndAsync(ct);
        if (text.Length == 0)
            return [];
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw VaultFailure.Rejected("error parsing JSON");
        }
        catch (JsonException)
        {
            throw VaultFailure.Rejected("error parsing JSON");
        }
    }

    private static async Task WriteAsync(HttpContext context, VaultAnswer answer)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.Headers.CacheControl = "no-store";
        if (answer.RetryAfter is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (answer.Raw is { } raw)
        {
            response.ContentType = answer.ContentType;
            await response.Body.WriteAsync(raw, context.RequestAborted);
        }
        else if (answer.Json is { } json)
        {
            response.ContentType = "application/json";
            await response.WriteAsync(json.ToJsonString(JsonText.Options) + "\n", context.RequestAborted);
        }
    }
}
