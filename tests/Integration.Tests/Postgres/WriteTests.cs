using System.Diagnostics;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Postgres;

namespace PlatformOps.Integration.Tests.Postgres;

/// <summary>Whether a server accepts a write, asked of a real one.</summary>
[Collection(nameof(PostgresCluster))]
public sealed class WriteTests(PostgresCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plain_login_can_ask_over_verified_TLS_and_with_the_login_of_a_Secret()
    {
        await cluster.StartAsync();
        using var server = Open(new(cluster.Address, PostgresCluster.User, cluster.PasswordFile, CertificateAuthority: cluster.Authority));
        Assert.StartsWith("1", await server.WriteAsync(Ct), StringComparison.Ordinal);

        using var secret = PostgresServer.Open(
            new(CertificateAuthority: cluster.Authority), cluster.Address, tls: true, "regions.us-east-1.postgresql", new(PostgresCluster.User, new(PostgresCluster.Password)));
        await secret.WriteAsync(Ct);
    }

    [Fact]
    public async Task A_server_that_is_read_only_or_whose_standby_does_not_answer_accepts_none()
    {
        await cluster.StartAsync();
        using var server = Open(new(cluster.Address, PostgresCluster.User, cluster.PasswordFile, CertificateAuthority: cluster.Authority));
        await WithAsync("default_transaction_read_only", "on", async () =>
            Assert.Contains("takes no writes", await FailsAsync(server, AdapterFailureKind.Unavailable), StringComparison.Ordinal));
        await WithAsync("synchronous_standby_names", "nobody", async () =>
            Assert.Contains("standby", await FailsAsync(server, AdapterFailureKind.Unavailable), StringComparison.Ordinal));
        await server.WriteAsync(Ct);
    }

    [Fact]
    public async Task Wrong_logins_untrusted_certificates_and_servers_that_are_not_there_are_told_apart_and_no_password_is_shown()
    {
        await cluster.StartAsync();
        using var nobody = PostgresServer.Open(new(cluster.Address, CertificateAuthority: cluster.Authority), "", tls: true, "here", new(PostgresCluster.User, new("wrong-password-of-ours")));
        Assert.DoesNotContain("wrong-password-of-ours", await FailsAsync(nobody, AdapterFailureKind.Unauthorized), StringComparison.Ordinal);
        using var stranger = Open(new(cluster.Address, PostgresCluster.User, cluster.PasswordFile));
        Assert.Contains("TLS certificate is not trusted", await FailsAsync(stranger, AdapterFailureKind.Unavailable), StringComparison.Ordinal);
        // The certificate is for localhost.
        using var named = Open(new(cluster.Address.Replace("localhost", "127.0.0.1"), PostgresCluster.User, cluster.PasswordFile, CertificateAuthority: cluster.Authority));
        await FailsAsync(named, AdapterFailureKind.Unavailable);
        using var gone = Open(new("localhost:1", PostgresCluster.User, cluster.PasswordFile));
        Assert.Contains("cannot be reached", await FailsAsync(gone, AdapterFailureKind.Unavailable), StringComparison.Ordinal);
        var without = Assert.Throws<AdapterException>(() => Open(new(cluster.Address)));
        Assert.Contains("regions.us-east-1.postgresql", without.Message, StringComparison.Ordinal);
    }

    private static PostgresServer Open(PostgresAccess access) => PostgresServer.Open(access, "postgresql.svc:5432", tls: true, "regions.us-east-1.postgresql", secret: null);

    private static async Task<string> FailsAsync(PostgresServer server, AdapterFailureKind kind)
    {
        AdapterException? failure = null;
        // A setting is in force a moment after it was made.
        for (var waited = Stopwatch.StartNew(); failure is null && waited.Elapsed < TimeSpan.FromMinutes(2);)
            failure = await Record.ExceptionAsync(() => server.WriteAsync(Ct)) as AdapterException;
        Assert.NotNull(failure);
        Assert.True(kind == failure.Kind, failure.ToString());
        Assert.DoesNotContain(PostgresCluster.Password, failure.ToString(), StringComparison.Ordinal);
        return failure.Message;
    }

    private async Task WithAsync(string setting, string value, Func<Task> test)
    {
        await cluster.SqlAsync($"ALTER SYSTEM SET {setting} = '{value}'");
        try
        {
            await test();
        }
        finally
        {
            await cluster.SqlAsync($"ALTER SYSTEM RESET {setting}");
        }
    }
}
