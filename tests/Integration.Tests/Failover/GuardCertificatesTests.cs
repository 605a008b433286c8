using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Until when certificates are valid, as they are shown on the wire: also those that nobody would trust any more.</summary>
public sealed class GuardCertificatesTests : IDisposable
{
    private const string Node = "us-east-1";

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-certificates-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(-1, true)]
    [InlineData(-40, false)]
    public async Task Reads_until_when_the_guards_and_ours_are_valid(int madeDaysAgo, bool valid)
    {
        var now = TimeProvider.System.GetUtcNow();
        var certificates = new LocalCertificates(folder, new FakeTimeProvider(now.AddDays(madeDaysAgo)));
        certificates.Make(Node, "platformops");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync(listener, certificates);
        var read = new GuardCertificates(Access(certificates, ((IPEndPoint)listener.LocalEndpoint).Port));

        var guards = await read.ServerValidUntilAsync(Node, Ct);
        await serving;

        Assert.Equal(now.AddDays(madeDaysAgo + 30), guards, TimeSpan.FromSeconds(1));
        Assert.Equal(guards, read.OwnValidUntil());
        Assert.Equal(valid, guards > now);
    }

    [Fact]
    public async Task Says_which_guard_shows_none_and_which_file_cannot_be_used()
    {
        var certificates = new LocalCertificates(folder, TimeProvider.System);
        certificates.Make(Node, "platformops");
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();

        var silent = await Assert.ThrowsAsync<AdapterException>(() => new GuardCertificates(Access(certificates, port)).ServerValidUntilAsync(Node, Ct));
        var unusable = Assert.Throws<AdapterException>(() => new GuardCertificates(Access(certificates, port) with { Certificate = Path.Combine(folder, "no.pem") }).OwnValidUntil());

        Assert.Equal(AdapterFailureKind.Unavailable, silent.Kind);
        Assert.StartsWith("The guard of us-east-1 shows no certificate: ", silent.Message, StringComparison.Ordinal);
        Assert.Equal(AdapterFailureKind.Rejected, unusable.Kind);
        Assert.Contains("Correct guardTls in the connections file.", unusable.Message, StringComparison.Ordinal);
    }

    private static GuardAccess Access(LocalCertificates certificates, int port) => new(
        new Dictionary<string, Uri> { [Node] = new($"https://127.0.0.1:{port}") }, certificates.Authority, certificates.Certificate("platformops"), certificates.Key("platformops"))
    {
        LookTimeout = TimeSpan.FromSeconds(30),
    };

    private static async Task ServeAsync(TcpListener listener, LocalCertificates certificates)
    {
        using var own = X509Certificate2.CreateFromPemFile(certificates.Certificate(Node), certificates.Key(Node));
        using var caller = await listener.AcceptTcpClientAsync(Ct);
        await using var tls = new SslStream(caller.GetStream());
        try
        {
            await tls.AuthenticateAsServerAsync(new() { ServerCertificate = own, ClientCertificateRequired = true, RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null }, Ct);
        }
        catch (Exception gone) when (gone is IOException or AuthenticationException)
        {
            // The caller has seen what it wanted.
        }
    }
}
