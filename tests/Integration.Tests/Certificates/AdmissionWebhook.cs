using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>A validating admission webhook that allows everything, with the certificate that its Secret holds now; the API server makes a new handshake for every question.</summary>
internal sealed class AdmissionWebhook : IAsyncDisposable
{
    public const string SecretName = "policies-tls";

    private const string Configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

    private readonly int port = LocalPorts.Take();
    private readonly CancellationTokenSource stop = new();
    private readonly TimeProvider time = TimeProvider.System;
    private readonly CertificateWorld world;
    private readonly WebApplication app;
    private readonly Task following;
    private X509Certificate2 serves = null!;
    private long asked;

    private AdmissionWebhook(CertificateWorld world, X509Certificate2 first)
    {
        (this.world, serves) = (world, first);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => Instead ?? serves);
        }));
        app = builder.Build();
        app.Run(AnswerAsync);
        following = FollowAsync();
    }

    /// <summary>How often it was asked.</summary>
    public long Asked => Interlocked.Read(ref asked);

    /// <summary>What it serves in spite of its Secret; null: what that holds.</summary>
    public X509Certificate2? Instead { get; set; }

    /// <summary>The name of its configuration, which is the cluster's and no namespace's.</summary>
    public static string Configuration(string suffix) => $"policies-{suffix}";

    /// <summary>Starts it, and has the API server ask it about ConfigMaps with the label <c>admitted</c>; whoever cannot be asked is refused.</summary>
    public static async Task<AdmissionWebhook> StartAsync(CertificateWorld world)
    {
        var webhook = new AdmissionWebhook(world, (await MountedAsync(world))!);
        await webhook.app.StartAsync(TestContext.Current.CancellationToken);
        var authorities = (string)(await world.SecretAsync(SecretName))!["data"]!["ca.crt"]!;
        await world.Kubectl.CreateAsync(Configurations, string.Create(CultureInfo.InvariantCulture, $$"""
            {"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"{{Configuration(world.Platform.Suffix)}}"},"webhooks":[
              {"name":"policies.shop.test","admissionReviewVersions":["v1"],"sideEffects":"None","failurePolicy":"Fail","timeoutSeconds":10,
               "clientConfig":{"url":"https://localhost:{{webhook.port}}/","caBundle":"{{authorities}}" },
               "objectSelector":{"matchLabels":{"admitted":"{{world.Platform.Suffix}}"} },
               "rules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE","UPDATE"],"resources":["configmaps"]} ]} ]}
            """));
        return webhook;
    }

    /// <summary>Whom the API server trusts when it asks.</summary>
    public async Task<string> TrustedAsync() =>
        CertificateWorld.Text((await world.Kubectl.GetAsync($"{Configurations}/{Configuration(world.Platform.Suffix)}"))!["webhooks"]![0]!["clientConfig"]!["caBundle"]);

    public async ValueTask DisposeAsync()
    {
        await world.Kubectl.DeleteAsync($"{Configurations}/{Configuration(world.Platform.Suffix)}");
        await stop.CancelAsync();
        await following;
        await app.DisposeAsync();
        stop.Dispose();
    }

    private static async Task<X509Certificate2?> MountedAsync(CertificateWorld world) =>
        (await world.SecretAsync(SecretName))?["data"] is JsonObject data && data["tls.crt"] is not null
            ? BootstrapPods.Identity((CertificateWorld.Text(data["tls.crt"]), CertificateWorld.Text(data["tls.key"])))
            : null;

    private async Task FollowAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            serves = await MountedAsync(world) ?? serves;
            await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(50), time, stop.Token));
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var review = (await JsonSerializer.DeserializeAsync<JsonObject>(context.Request.Body, cancellationToken: context.RequestAborted))!;
        Interlocked.Increment(ref asked);
        context.Response.Headers.Connection = "close";
        await context.Response.WriteAsJsonAsync(new JsonObject
        {
            ["apiVersion"] = "admission.k8s.io/v1",
            ["kind"] = "AdmissionReview",
            ["response"] = new JsonObject { ["uid"] = (string?)review["request"]!["uid"], ["allowed"] = true },
        });
    }
}
