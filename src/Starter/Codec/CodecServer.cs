using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Codec;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace PlatformOps.Starter.Codec;

/// <summary>Encodes and decodes payloads for the Temporal UI and the <c>temporal</c> CLI (their codec endpoint): POST <c>/encode</c> and <c>/decode</c>, below a namespace's path too, with Payloads as JSON.
/// Whoever may ask it reads everything, so it wants a token, or listens on loopback only.</summary>
internal sealed class CodecServer : IAsyncDisposable
{
    private const string Bearer = "Bearer ", SpaceHeader = "X-Namespace";

    /// <summary>A page of a history; the UI asks for less.</summary>
    private const int LargestBody = 32 * 1024 * 1024;

    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    private readonly CodecKeys keys;
    private readonly CodecServerOptions options;
    private readonly WebApplication app;

    private CodecServer(CodecKeys keys, CodecServerOptions options, ILoggerFactory log)
    {
        (this.keys, this.options) = (keys, options);
        app = Build(log);
    }

    /// <summary>Where it listens, with scheme.</summary>
    public string Address => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <exception cref="IOException">The address is in use, or a file cannot be read.</exception>
    public static async Task<CodecServer> StartAsync(CodecKeys keys, CodecServerOptions options, ILoggerFactory log, CancellationToken ct)
    {
        var server = new CodecServer(keys, options, log);
        try
        {
            await server.app.StartAsync(ct);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => app.DisposeAsync();

    private WebApplication Build(ILoggerFactory log)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Services.AddSingleton(log);
        if (options.CertificateFile is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.Listen(options.Listen, listen =>
            {
                // Read at each handshake, so that a new certificate needs no restart.
                if (options is { CertificateFile: { } certificate, KeyFile: { } key })
                    listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => X509Certificate2.CreateFromPemFile(certificate, key));
            });
        });
        var built = builder.Build();
        built.Use(AllowOriginAsync);
        foreach (var path in new[] { "", "/{space}" })
        {
            built.MapPost($"{path}/encode", call => AnswerAsync(call, encode: true));
            built.MapPost($"{path}/decode", call => AnswerAsync(call, encode: false));
        }

        built.MapGet("/healthz", () => "alive");
        return built;
    }

    /// <summary>A browser asks first whether a page of another origin may call.</summary>
    private Task AllowOriginAsync(HttpContext call, RequestDelegate next)
    {
        if (call.Request.Headers.Origin.ToString() is { Length: > 0 } origin && options.Origins.Contains(origin))
        {
            call.Response.Headers.AccessControlAllowOrigin = origin;
            call.Response.Headers.AccessControlAllowCredentials = "true";
            call.Response.Headers.Vary = "Origin";
            if (HttpMethods.IsOptions(call.Request.Method))
            {
                call.Response.Headers.AccessControlAllowMethods = "POST";
                call.Response.Headers.AccessControlAllowHeaders = "authorization,content-type,x-namespace";
                call.Response.Headers.AccessControlMaxAge = "600";
            }
        }

        if (!HttpMethods.IsOptions(call.Request.Method))
            return next(call);
        call.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private async Task AnswerAsync(HttpContext call, bool encode)
    {
        try
        {
            if (options.TokenFile is not null && !Believes(call.Request.Headers.Authorization.ToString()))
            {
                await RefuseAsync(call, StatusCodes.Status401Unauthorized, "A token is expected: Authorization: Bearer TOKEN.");
                return;
            }

            using var body = new StreamReader(call.Request.Body, Encoding.UTF8);
            var given = Parser.Parse<Payloads>(await body.ReadToEndAsync(call.RequestAborted));
            var codec = new EncryptingPayloadCodec(keys, Context(call));
            var answer = new Payloads { Payloads_ = { encode ? await codec.EncodeAsync(given.Payloads_) : await codec.DecodeAsync(given.Payloads_) } };
            call.Response.ContentType = "application/json";
            await call.Response.WriteAsync(JsonFormatter.Default.Format(answer), call.RequestAborted);
        }
        catch (Exception failure) when (failure is InvalidProtocolBufferException or InvalidJsonException)
        {
            await RefuseAsync(call, StatusCodes.Status400BadRequest, """The body is not {"payloads": [...]}.""");
        }
        catch (AdapterException failure)
        {
            await RefuseAsync(call, StatusCodes.Status400BadRequest, failure.Message);
        }
    }

    /// <summary>The callers tell the namespace and no workflow.</summary>
    private static ISerializationContext.Activity? Context(HttpContext call)
    {
        var space = call.Request.Headers[SpaceHeader].ToString() is { Length: > 0 } header ? header : call.Request.RouteValues["space"] as string;
        return space is null ? null : new(space, null, null, null, null, null, IsLocal: false);
    }

    /// <summary>Compares in a time that tells nothing; the file is read each time, so that the token can be changed without a restart.</summary>
    private bool Believes(string given)
    {
        var token = File.ReadAllText(options.TokenFile!).Trim();
        return token.Length > 0 && given.StartsWith(Bearer, StringComparison.Ordinal)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given[Bearer.Length..])), SHA256.HashData(Encoding.UTF8.GetBytes(token)));
    }

    private static Task RefuseAsync(HttpContext call, int status, string why)
    {
        call.Response.StatusCode = status;
        call.Response.ContentType = "text/plain";
        return call.Response.WriteAsync(why, call.RequestAborted);
    }
}

/// <summary>How a codec server is asked.</summary>
/// <param name="Origins">Pages that may call it from a browser, for example <c>https://temporal.example.com</c>.</param>
/// <param name="TokenFile">Holds the token that callers have to send; null: none, for loopback only.</param>
/// <param name="CertificateFile">PEM; null: without TLS.</param>
internal sealed record CodecServerOptions(IPEndPoint Listen, IReadOnlyList<string> Origins, string? TokenFile, string? CertificateFile, string? KeyFile);
