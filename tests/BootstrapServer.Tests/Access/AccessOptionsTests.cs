using PlatformOps.BootstrapServer.Access;

namespace PlatformOps.BootstrapServer.Tests.Access;

public class AccessOptionsTests
{
    [Fact]
    public async Task Refuses_to_listen_for_other_machines_when_nothing_says_who_may_call()
    {
        var refused = await RefusedAsync(new BootstrapServerOptions { Host = "0.0.0.0" });
        Assert.Contains("--tls-cert-path", refused, StringComparison.Ordinal);
        Assert.Contains("--allow-unprotected", refused, StringComparison.Ordinal);
        await using var server = await BootstrapServerHost.StartAsync(
            new BootstrapServerOptions { Host = "0.0.0.0", Access = new AccessOptions { AllowUnprotected = true } }, TestContext.Current.CancellationToken);
        Assert.NotEqual(0, server.Port);
    }

    [Fact]
    public async Task Refuses_keys_in_cleartext_and_tls_without_callers_identity_on_other_addresses_than_loopback()
    {
        using var authority = new Authority("options");
        var keys = authority.PathOf("keys");
        await File.WriteAllTextAsync(keys, "a-key-that-is-long-enough", TestContext.Current.CancellationToken);
        var (certificate, key) = authority.IssueServer();
        Assert.Contains("Host 0.0.0.0", await RefusedAsync(new() { Host = "0.0.0.0", Access = new() { ApiKeyFile = keys } }), StringComparison.Ordinal);
        Assert.Contains("Host 0.0.0.0", await RefusedAsync(new() { Host = "0.0.0.0", Access = new() { CertificateFile = certificate, KeyFile = key } }), StringComparison.Ordinal);
        await using var server = await BootstrapServerHost.StartAsync(
            new BootstrapServerOptions { Host = "0.0.0.0", Access = new AccessOptions { CertificateFile = certificate, KeyFile = key, ApiKeyFile = keys } }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Names_every_file_that_cannot_be_used_and_quotes_none()
    {
        using var authority = new Authority("broken");
        var (certificate, _) = authority.IssueServer();
        var (_, otherKey) = authority.IssueServer("other");
        var keys = authority.PathOf("keys");
        await File.WriteAllTextAsync(keys, "# a comment\nsecret\n", TestContext.Current.CancellationToken);
        var refused = await RefusedAsync(new()
        {
            Access = new AccessOptions { CertificateFile = certificate, KeyFile = otherKey, ClientAuthorityFile = authority.PathOf("none.pem"), ApiKeyFile = keys },
        });
        Assert.Contains(certificate, refused, StringComparison.Ordinal);
        Assert.Contains("none.pem", refused, StringComparison.Ordinal);
        Assert.Contains("line 2", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused, StringComparison.Ordinal);
        Assert.Contains("belong together", await RefusedAsync(new() { Access = new() { CertificateFile = certificate } }), StringComparison.Ordinal);
        Assert.Contains("needs TLS", await RefusedAsync(new() { Access = new() { ClientAuthorityFile = authority.CertificateFile } }), StringComparison.Ordinal);
    }

    private static async Task<string> RefusedAsync(BootstrapServerOptions options) =>
        (await Assert.ThrowsAsync<ArgumentException>(() => BootstrapServerHost.StartAsync(options))).Message;
}
