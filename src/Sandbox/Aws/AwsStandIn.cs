using System.Net;
using System.Text;
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
using PlatformOps.Sandbox.Aws.Iam;
using PlatformOps.Sandbox.Aws.Rds;
using PlatformOps.Sandbox.Aws.Route53;
using PlatformOps.Sandbox.Aws.S3;
using PlatformOps.Sandbox.Aws.Sts;

namespace PlatformOps.Sandbox.Aws;

/// <summary>One account of AWS on loopback, in every region: managed databases (RDS), buckets and objects (S3), DNS (Route 53), identity (STS) and access keys (IAM). The region is that
/// of a call's signature.</summary>
public sealed class AwsStandIn : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly FaultInjection faults;
    private readonly AwsStorage storage;
    private readonly RdsCalls rds;
    private readonly S3Calls s3;
    private readonly Route53Calls route53;
    private readonly IamCalls iam;
    private readonly StsCalls sts;
    private readonly Action<string>? changing;
    private long mutating;

    private AwsStandIn(AwsStandInOptions options)
    {
        faults = new(options.Seed);
        changing = options.Changing;
        storage = new(options.DataFile);
        AccessKeyId = Known(storage);
        rds = new(storage, options.TimeProvider, options.TimeScale, options.ListLag);
        s3 = new(storage, options.TimeProvider, options.ListLag);
        route53 = new(storage, options.TimeProvider, options.TimeScale, options.ListLag);
        iam = new(storage);
        sts = new(storage, AccessKeyId, iam.Owner);
        app = Build();
    }

    /// <summary>The account that everything belongs to.</summary>
    public const string Account = "123456789012";

    /// <summary>In PEM, who signs the server certificates of managed databases.</summary>
    public static string DatabaseAuthority => RdsAuthority.Pem;

    public Uri Address { get; private set; } = null!;

    /// <summary>The account's access key, the same as long as its data is kept; the secret is not checked. Keys of roles may call besides.</summary>
    public string AccessKeyId { get; }

    /// <summary>Calls that may have changed something, since the start.</summary>
    public long MutatingCalls => Interlocked.Read(ref mutating);

    /// <summary>Whether a database would let its master user in with a password: there is no server to ask.</summary>
    public bool AcceptsLogin(string region, string identifier, string user, string password) => rds.AcceptsLogin(region, identifier, user, password);

    /// <summary>What clients would meet at an instance, or at the writer of an Aurora cluster: there is no server to ask. Null: there is neither of this name.</summary>
    public DatabaseSight? LookAt(string region, string identifier) => rds.LookAt(region, identifier);

    public static async Task<AwsStandIn> StartAsync(AwsStandInOptions options, CancellationToken ct = default)
    {
        var server = new AwsStandIn(options);
        await server.app.StartAsync(ct);
        server.Address = new(server.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    /// <summary>Makes calls go wrong from now on. A call's path is <c>/rds/CreateDBInstance</c>, <c>/s3/PUT tagging/BUCKET</c> or
    /// <c>/route53/POST hostedzone/ZONE/rrset</c>: service and operation.</summary>
    public void Inject(Fault fault) => faults.Add(fault);

    /// <summary>A public zone that was there before; once.</summary>
    public void AddZone(string name) => route53.AddZone(name);

    /// <summary>A user of IAM with an access key, as somebody made it before.</summary>
    public (string Id, string Secret) GiveKey(string user) => iam.Give(user);

    /// <summary>Whether it accepts an access key of a user.</summary>
    public bool AcceptsKey(string id) => iam.Owner(id) is not null;

    /// <summary>Ends all faults.</summary>
    public void ClearFaults() => faults.Clear();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        storage.Dispose();
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        // Parts of large objects.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var built = builder.Build();
        built.Run(HandleAsync);
        return built;
    }

    private async Task HandleAsync(HttpContext context)
    {
        var bare = false;
        try
        {
            var caller = AwsCaller.Of(context.Request);
            sts.Check(caller.Key);
            bare = caller.Service == "s3";
            var (operation, reads, carryOut) = await CallAsync(context.Request, caller);
            var fault = faults.Next(context.Request.Method, $"/{caller.Service}/{operation}", changes: !reads);
            await FaultInjection.BeforeAsync(context, fault);
            if (fault?.Kind == FaultKind.Error)
                throw AwsFailure.Injected(fault.StatusCode);
            if (!reads)
            {
                Interlocked.Increment(ref mutating);
                changing?.Invoke(operation);
            }

            var answer = await carryOut();
            if (fault?.Kind == FaultKind.CutAfterEffect)
                context.Abort();
            else
                await AnswerAsync(context, answer);
        }
        catch (AwsFailure failure) when (!context.Response.HasStarted)
        {
            // The answer to HEAD has no body.
            await AnswerAsync(context, new(failure.Status, context.Request.Method == "HEAD" ? null : bare ? failure.ToBareXml() : failure.ToXml()));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went, or was cut off.
        }
    }

    /// <summary>What is asked for, whether it only looks, and how it is carried out.</summary>
    private async Task<(string Operation, bool Reads, Func<Task<AwsAnswer>> CarryOut)> CallAsync(HttpRequest request, AwsCaller caller)
    {
        switch (caller.Service)
        {
            case "s3":
                var s3Call = await S3Request.ReadAsync(request, caller.Region);
                return ($"{s3Call.Operation}/{s3Call.Bucket}", request.Method is "GET" or "HEAD", () => Task.FromResult(s3.CarryOut(s3Call)));
            case "route53":
                return (Route53Calls.Operation(request), request.Method == "GET", () => route53.CarryOutAsync(request));
            case "rds" or "sts" or "iam":
                var call = await AwsCall.ReadAsync(request, caller);
                return (call.Operation, !Changes(call.Operation) || call.Service == "sts",
                    () => Task.FromResult(new AwsAnswer(Xml: call.Service switch { "rds" => rds.CarryOut(call), "iam" => iam.CarryOut(call), _ => sts.CarryOut(call) })));
            default:
                throw new AwsFailure(501, "NotImplemented", $"The sandbox has no {caller.Service}: it serves rds, s3, route53, sts and iam.");
        }
    }

    private static bool Changes(string operation) => !Array.Exists(["Describe", "List", "Get", "Head"], prefix => operation.StartsWith(prefix, StringComparison.Ordinal));

    private static async Task AnswerAsync(HttpContext context, AwsAnswer answer)
    {
        context.Response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
            context.Response.Headers[name] = value;
        if (answer.Length is { } length)
            context.Response.ContentLength = length;
        if (answer.Xml is { } xml)
        {
            context.Response.ContentType = "text/xml";
            await context.Response.WriteAsync(xml.ToString(), context.RequestAborted);
        }
        else if (answer.Body is { Length: > 0 } body)
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static string Known(AwsStorage storage)
    {
        if (storage.Get("key") is { } known)
            return Encoding.ASCII.GetString(known);
        var made = $"AKIA{Guid.NewGuid():N}"[..20].ToUpperInvariant();
        storage.Put("key", Encoding.ASCII.GetBytes(made));
        return made;
    }
}
