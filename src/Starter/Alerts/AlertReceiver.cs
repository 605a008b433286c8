using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Alerts;
using PlatformOps.Platform.Alerts;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Alerts;

/// <summary>The webhooks: verify, read, route, hand over, answer. 202 means that a runbook has it; any other answer makes the sender send it again, or says
/// what is wrong with it.</summary>
internal sealed class AlertReceiver : IAsyncDisposable
{
    private readonly AlertConfiguration configuration;
    private readonly AlertDelivery delivery;
    private readonly AlertIntake intake;
    private readonly DeadLetters deadLetters;
    private readonly SnsSubscriber sns;
    private readonly AlertMetrics metrics = new();
    private readonly SenderCheck? alertmanager, cloudEvents;
    private readonly TokenBucketRateLimiter limiter;
    private readonly WebApplication app;

    private AlertReceiver(AlertConfiguration configuration, string folder, AlertDelivery delivery, HttpClient outside, ILoggerFactory log, TimeProvider clock)
    {
        (this.configuration, this.delivery) = (configuration, delivery);
        deadLetters = new(configuration.DeadLetters is { } file ? Path.Combine(folder, file) : null);
        intake = new(configuration, delivery, deadLetters, metrics, clock);
        sns = new(outside);
        alertmanager = configuration.Alertmanager is { } first ? new(first, folder) : null;
        cloudEvents = configuration.CloudEvents is { } second ? new(second, folder) : null;
        limiter = new(new()
        {
            TokenLimit = configuration.RequestsPerSecond * 4,
            TokensPerPeriod = configuration.RequestsPerSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
        });
        app = Build(folder, log);
    }

    /// <summary>Where it listens, with scheme.</summary>
    public string Address => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <param name="folder">What the configuration's relative paths are relative to.</param>
    /// <param name="outside">Asks SNS for its certificates.</param>
    /// <exception cref="IOException">The address is in use, or a file cannot be read.</exception>
    public static async Task<AlertReceiver> StartAsync(
        AlertConfiguration configuration, string folder, AlertDelivery delivery, HttpClient outside, ILoggerFactory log, TimeProvider clock, CancellationToken ct)
    {
        var receiver = new AlertReceiver(configuration, folder, delivery, outside, log, clock);
        try
        {
            await receiver.app.StartAsync(ct);
            return receiver;
        }
        catch
        {
            await receiver.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await limiter.DisposeAsync();
    }

    private WebApplication Build(string folder, ILoggerFactory log)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Services.AddSingleton(log);
        if (configuration.Tls is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = configuration.BodyBytes;
            var colon = configuration.Listen.LastIndexOf(':');
            kestrel.Listen(IPAddress.Parse(configuration.Listen[..colon].Trim('[', ']')), ushort.Parse(configuration.Listen.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture), listen =>
            {
                if (configuration.Tls is { } tls)
                    listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => Certificate(tls, folder));
            });
        });
        var built = builder.Build();
        built.MapPost("/v1/alertmanager", ReceiveAlertmanagerAsync);
        built.MapPost("/v1/cloudevents", ReceiveCloudEventAsync);
        built.MapPost("/v1/sns", ReceiveSnsAsync);
        built.MapGet("/v1/dead-letters", ShowDeadLettersAsync);
        built.MapGet("/metrics", async call =>
        {
            call.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            await metrics.WriteAsync(call.Response.Body, call.RequestAborted);
        });
        built.MapGet("/healthz", () => "alive");
        built.MapGet("/readyz", async call =>
        {
            var ready = await delivery.ReachesServerAsync(call.RequestAborted);
            await AnswerAsync(call, ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, new { ready, why = ready ? null : "The Temporal server does not answer." });
        });
        return built;
    }

    private Task ReceiveAlertmanagerAsync(HttpContext call) => ReceiveAsync(call, alertmanager, body => Task.FromResult(AlertmanagerWebhook.Read(body)));

    private Task ReceiveCloudEventAsync(HttpContext call) =>
        ReceiveAsync(call, cloudEvents, body => Task.FromResult<IReadOnlyList<Alert>>([CloudEvent.Read(name => Header(call, name), body)]));

    private Task ReceiveSnsAsync(HttpContext call) =>
        ReceiveAsync(call, null, body => sns.ReadAsync(body, configuration.SnsTopics, call.RequestAborted), signs: configuration.SnsTopics.Count > 0);

    private async Task ReceiveAsync(HttpContext call, SenderCheck? sender, Func<ReadOnlyMemory<byte>, Task<IReadOnlyList<Alert>>> read, bool signs = false)
    {
        using var lease = limiter.AttemptAcquire();
        if (!lease.IsAcquired)
        {
            call.Response.Headers.RetryAfter = "1";
            await RefuseAsync(call, StatusCodes.Status429TooManyRequests, "too_many", "More requests than limits.requestsPerSecond allows. Send again later.");
            return;
        }

        try
        {
            var body = await BodyAsync(call);
            if (sender?.Believes(name => Header(call, name), body.Span) is not true && !signs)
            {
                await RefuseAsync(call, StatusCodes.Status401Unauthorized, "unauthorized", sender is null ? "Nobody is listened to here: the configuration does not state this sender." : "The token or signature is missing or wrong.");
                return;
            }

            await AnswerAsync(call, await intake.TakeAsync(await read(body), call.RequestAborted));
        }
        catch (BadHttpRequestException failure)
        {
            await RefuseAsync(call, failure.StatusCode, failure.StatusCode == StatusCodes.Status413PayloadTooLarge ? "too_large" : "malformed", $"{failure.Message} limits.bodyBytes is {configuration.BodyBytes}.");
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unauthorized)
        {
            await RefuseAsync(call, StatusCodes.Status401Unauthorized, "unauthorized", failure.Message);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            await AnswerAsync(call, new IntakeResult(0, 0, [], failure.Message));
        }
        catch (AdapterException failure)
        {
            await RefuseAsync(call, StatusCodes.Status400BadRequest, "malformed", failure.Message);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException && !call.RequestAborted.IsCancellationRequested)
        {
            // A file of ours: the sender's secret, or the dead letters. Its message names the file and holds nothing of it.
            await AnswerAsync(call, new IntakeResult(0, 0, [], failure.Message));
        }
    }

    private async Task ShowDeadLettersAsync(HttpContext call)
    {
        string? Given(string name) => Header(call, name);
        if (alertmanager?.Believes(Given, []) is true || cloudEvents?.Believes(Given, []) is true)
            await AnswerAsync(call, StatusCodes.Status200OK, deadLetters.All);
        else
            await RefuseAsync(call, StatusCodes.Status401Unauthorized, "unauthorized", "A sender's token is expected.");
    }

    private static Task AnswerAsync(HttpContext call, IntakeResult result)
    {
        if (result.Failure is not null)
            call.Response.Headers.RetryAfter = "5";
        return AnswerAsync(
            call,
            result switch
            {
                { Failure: not null } => StatusCodes.Status503ServiceUnavailable,
                // Alertmanager reports it as a notification that failed, and does not send it again at once.
                { PassedOn: 0, Repeated: 0, Unrouted.Count: > 0 } => StatusCodes.Status422UnprocessableEntity,
                _ => StatusCodes.Status202Accepted,
            },
            result);
    }

    private Task RefuseAsync(HttpContext call, int status, string reason, string why)
    {
        metrics.Refused(reason);
        return AnswerAsync(call, status, new { error = why });
    }

    private static Task AnswerAsync<T>(HttpContext call, int status, T answer)
    {
        call.Response.StatusCode = status;
        return call.Response.WriteAsJsonAsync(answer, JsonOutput.Compact, call.RequestAborted);
    }

    private static async Task<ReadOnlyMemory<byte>> BodyAsync(HttpContext call)
    {
        using var body = new MemoryStream();
        await call.Request.Body.CopyToAsync(body, call.RequestAborted);
        return body.ToArray();
    }

    private static string? Header(HttpContext call, string name) => call.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>Read at each handshake, so that a new certificate needs no restart.</summary>
    private static X509Certificate2 Certificate(AlertTls tls, string folder) =>
        X509Certificate2.CreateFromPemFile(Path.Combine(folder, tls.CertificateFile), Path.Combine(folder, tls.KeyFile));
}
