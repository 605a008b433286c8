using System.Net;
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
using PlatformOps.Sandbox.Aws.Rds;

namespace PlatformOps.Sandbox.Aws;

/// <summary>AWS on loopback, for managed databases (RDS) in every region and for naming the caller (STS). The region is that of a call's signature. It lives in memory.</summary>
public sealed class AwsStandIn : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly FaultInjection faults;
    private readonly RdsCalls rds;

    private AwsStandIn(AwsStandInOptions options)
    {
        faults = new(options.Seed);
        rds = new(options.TimeProvider, options.TimeScale);
        app = Build();
    }

    /// <summary>The account that everything belongs to.</summary>
    public const string Account = "123456789012";

    public Uri Address { get; private set; } = null!;

    /// <summary>The only access key that may call; the secret is not checked.</summary>
    public string AccessKeyId { get; } = $"AKIA{Guid.NewGuid():N}"[..20].ToUpperInvariant();

    public static async Task<AwsStandIn> StartAsync(AwsStandInOptions options, CancellationToken ct = default)
    {
        var server = new AwsStandIn(options);
        await server.app.StartAsync(ct);
        server.Address = new(server.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    /// <summary>Makes calls go wrong from now on. A call's path is <c>/rds/CreateDBInstance</c>: service and operation.</summary>
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
            var call = await AwsCall.ReadAsync(context.Request, AccessKeyId);
            var fault = faults.Next(context.Request.Method, $"/{call.Service}/{call.Operation}", Changes(call.Operation));
            await BeforeAsync(context, fault);
            var answer = CarryOut(call);
            if (fault?.Kind == FaultKind.CutAfterEffect)
                context.Abort();
            else
                await AnswerAsync(context, 200, answer.ToString());
        }
        catch (AwsFailure failure) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, failure.Status, failure.ToXml().ToString());
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went, or was cut off.
        }
    }

    private System.Xml.Linq.XElement CarryOut(AwsCall call) => (call.Service, call.Operation) switch
    {
        ("rds", _) => rds.CarryOut(call),
        ("sts", "GetCallerIdentity") => call.Answer(
            new("UserId", AccessKeyId), new("Account", Account), new("Arn", $"arn:aws:iam::{Account}:user/sandbox")),
        ("sts", _) => throw AwsFailure.InvalidAction(call),
        _ => throw new AwsFailure(501, "NotImplemented", $"The sandbox has no {call.Service}: it serves rds and sts."),
    };

    private static async Task BeforeAsync(HttpContext context, Fault? fault)
    {
        switch (fault?.Kind)
        {
            case FaultKind.Latency:
                await Task.Delay(fault.Delay, context.RequestAborted);
                break;
            case FaultKind.Cut:
                context.Abort();
                throw new OperationCanceledException(context.RequestAborted);
            case FaultKind.Error:
                throw AwsFailure.Injected(fault.StatusCode);
        }
    }

    private static bool Changes(string operation) => !Array.Exists(["Describe", "List", "Get", "Head"], prefix => operation.StartsWith(prefix, StringComparison.Ordinal));

    private static Task AnswerAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/xml";
        return context.Response.WriteAsync(body, context.RequestAborted);
    }
}
