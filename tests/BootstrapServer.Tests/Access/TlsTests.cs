using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using PlatformOps.BootstrapServer.Access;
using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Common.EnvConfig;
using Temporalio.Worker;

namespace PlatformOps.BootstrapServer.Tests.Access;

public sealed class TlsTests : IDisposable
{
    private readonly Authority ours = new("ours");
    private readonly Authority theirs = new("theirs");

    public void Dispose()
    {
        ours.Dispose();
        theirs.Dispose();
    }

    [Fact]
    public async Task A_client_and_a_worker_with_a_certificate_of_the_authority_run_workflows()
    {
        await using var server = await StartAsync();
        var client = await TemporalClient.ConnectAsync(new(server.Address) { Tls = ours.Client(ours) });
        using var worker = new TemporalWorker(client, new TemporalWorkerOptions("tls").AddWorkflow<EchoWorkflow>());
        var word = await worker.ExecuteAsync(() => client.ExecuteWorkflowAsync((EchoWorkflow w) => w.RunAsync("hello"), new("tls-" + Guid.NewGuid(), "tls")));
        Assert.Equal("hello", word);
    }

    [Fact]
    public async Task The_standard_environment_variables_are_enough_for_a_client()
    {
        await using var server = await StartAsync();
        ours.Client(ours);
        var options = ClientEnvConfig.LoadClientConnectOptions(new()
        {
            DisableFile = true,
            OverrideEnvVars = new Dictionary<string, string>
            {
                ["TEMPORAL_ADDRESS"] = server.Address,
                ["TEMPORAL_NAMESPACE"] = "default",
                ["TEMPORAL_TLS_SERVER_CA_CERT_PATH"] = ours.CertificateFile,
                ["TEMPORAL_TLS_CLIENT_CERT_PATH"] = ours.PathOf("client.crt"),
                ["TEMPORAL_TLS_CLIENT_KEY_PATH"] = ours.PathOf("client.key"),
            },
        });
        Assert.True(await (await TemporalClient.ConnectAsync(options)).Connection.CheckHealthAsync());
        Assert.Equal(0, (await (await TemporalClient.ConnectAsync(options)).CountWorkflowsAsync("")).Count);
    }

    [Fact]
    public async Task A_client_without_a_certificate_gets_health_and_nothing_else()
    {
        await using var server = await StartAsync();
        using var channel = GrpcChannel.ForAddress($"https://{server.Address}", new GrpcChannelOptions { HttpHandler = Trusting(ours.Certificate), DisposeHttpClient = true });
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await channel.CallAsync<HealthCheckResponse>("grpc.health.v1.Health", "Check", new HealthCheckRequest())).Status);
        var refused = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync<GetSystemInfoResponse>(RawCalls.WorkflowService, "GetSystemInfo", new GetSystemInfoRequest()));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.Contains("client certificate", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_and_cleartext_get_no_connection()
    {
        await using var server = await StartAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => TemporalClient.ConnectAsync(new(server.Address) { Tls = theirs.Client(ours) }));
        await Assert.ThrowsAnyAsync<Exception>(() => TemporalClient.ConnectAsync(new(server.Address)));
        await Assert.ThrowsAnyAsync<Exception>(() => TemporalClient.ConnectAsync(new(server.Address) { Tls = ours.Client(theirs) }));
    }

    [Fact]
    public async Task A_server_certificate_does_not_do_as_a_client_certificate()
    {
        await using var server = await StartAsync();
        var (certificate, key) = ours.IssueServer("other");
        var tls = new TlsOptions { ServerRootCACert = ours.Certificate, ClientCert = File.ReadAllBytes(certificate), ClientPrivateKey = File.ReadAllBytes(key) };
        await Assert.ThrowsAnyAsync<Exception>(() => TemporalClient.ConnectAsync(new(server.Address) { Tls = tls }));
    }

    [Fact]
    public async Task New_certificates_are_served_without_a_restart_and_half_a_rotation_changes_nothing()
    {
        await using var server = await StartAsync();
        var before = await ServedAsync(server.Port);
        var open = await TemporalClient.ConnectAsync(new(server.Address) { Tls = ours.Client(ours) });
        var key = await File.ReadAllTextAsync(ours.PathOf("server.key"), TestContext.Current.CancellationToken);

        ours.IssueServer();
        var newKey = await File.ReadAllTextAsync(ours.PathOf("server.key"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(ours.PathOf("server.key"), key, TestContext.Current.CancellationToken);
        Assert.Equal(before, await ServedAsync(server.Port));

        await File.WriteAllTextAsync(ours.PathOf("server.key"), newKey, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(async () => await ServedAsync(server.Port) != before);
        Assert.True(await open.Connection.CheckHealthAsync());
    }

    [Fact]
    public async Task Authorities_for_clients_are_read_again_when_they_change()
    {
        await using var server = await StartAsync();
        await File.WriteAllBytesAsync(ours.PathOf("clients.pem"), theirs.Certificate, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(async () => !await Wait.ConnectsAsync(new(server.Address) { Tls = ours.Client(ours) }));
        await TemporalClient.ConnectAsync(new(server.Address) { Tls = theirs.Client(ours) });
    }

    private Task<BootstrapServerHost> StartAsync()
    {
        var (certificate, key) = ours.IssueServer();
        File.WriteAllBytes(ours.PathOf("clients.pem"), ours.Certificate);
        return BootstrapServerHost.StartAsync(new BootstrapServerOptions
        {
            Access = new AccessOptions { CertificateFile = certificate, KeyFile = key, ClientAuthorityFile = ours.PathOf("clients.pem") },
        });
    }

    private static SocketsHttpHandler Trusting(byte[] authority) => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { X509Certificate2.CreateFromPem(System.Text.Encoding.ASCII.GetString(authority)) },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    };

    private static async Task<string> ServedAsync(int port)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", port);
        X509Certificate2? served = null;
        await using var tls = new SslStream(tcp.GetStream(), false, (_, certificate, _, _) => (served = (X509Certificate2?)certificate) is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", ApplicationProtocols = [SslApplicationProtocol.Http2] });
        return served!.Thumbprint;
    }
}
