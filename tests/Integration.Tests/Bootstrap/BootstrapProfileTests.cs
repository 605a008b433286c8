using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Bootstrap;

/// <summary>Moving the bootstrap cluster to one that is reached by mutual TLS and an API key, as a profile of the Temporal configuration file says, and home again from there.</summary>
public sealed class BootstrapProfileTests : IAsyncLifetime
{
    private const string ApiKey = "a-key-for-the-durable-cluster";

    private readonly Cli cli = new();
    private LocalCertificates certificates = null!;
    private BootstrapServerHost laptop = null!, durable = null!;

    public async ValueTask InitializeAsync()
    {
        certificates = new(Path.Combine(cli.Home, "tls"), TimeProvider.System);
        certificates.Make("durable.test", "mover");
        var keys = Path.Combine(cli.Home, "keys");
        await File.WriteAllTextAsync(keys, $"{ApiKey}\n", TestContext.Current.CancellationToken);
        laptop = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        durable = await BootstrapServerHost.StartAsync(new()
        {
            Access = new()
            {
                CertificateFile = certificates.Certificate("durable.test"),
                KeyFile = certificates.Key("durable.test"),
                ClientAuthorityFile = certificates.Authority,
                ApiKeyFile = keys,
            },
        });
        // As `temporal config set` writes it. The address is not the certificate's name, as behind a load balancer.
        await File.WriteAllTextAsync(Path.Combine(cli.Home, "temporal.toml"), $"""
            [profile.durable]
            address = "{durable.Address}"
            namespace = "runbooks"
            api_key = "{ApiKey}"
            [profile.durable.tls]
            server_name = "durable.test"
            server_ca_cert_path = "{certificates.Authority}"
            client_cert_path = "{certificates.Certificate("mover")}"
            client_key_path = "{certificates.Key("mover")}"
            [profile.stranger]
            address = "{durable.Address}"
            api_key = "{ApiKey}"
            [profile.stranger.tls]
            server_name = "durable.test"
            server_ca_cert_path = "{certificates.Authority}"
            [profile.laptop]
            address = "{laptop.Address}"
            """, TestContext.Current.CancellationToken);
        cli["TEMPORAL_CONFIG_FILE"] = Path.Combine(cli.Home, "temporal.toml");
        cli["TEMPORAL_PROFILE"] = "laptop";
    }

    public async ValueTask DisposeAsync()
    {
        cli.Dispose();
        await laptop.DisposeAsync();
        await durable.DisposeAsync();
    }

    [Fact]
    public async Task The_way_there_and_back_goes_over_mutual_tls_with_the_profiles_key()
    {
        Assert.Equal(0, (await cli.RunAsync("drift", "schedule", "development", "--every", "1000d")).ExitCode);

        var unknown = await cli.RunAsync("bootstrap", "pivot", "--to-profile", "durabel", "--yes");
        var stranger = await cli.RunAsync("bootstrap", "pivot", "--to-profile", "stranger", "--yes", "--verbose");
        var planned = await cli.RunAsync("bootstrap", "pivot", "--to-profile", "durable", "--plan", "--output", "json");
        var moved = await cli.RunAsync("bootstrap", "pivot", "--to-profile", "durable", "--yes", "--output", "json");

        Assert.Equal((3, 5), (unknown.ExitCode, stranger.ExitCode));
        Assert.Contains("durabel", unknown.Error, StringComparison.Ordinal);
        Assert.Contains(durable.Address, stranger.Error, StringComparison.Ordinal);
        Assert.Equal((0, "planned"), (planned.ExitCode, planned.Json.GetProperty("outcome").GetString()));
        Assert.True(moved.ExitCode == 0, moved.Error);
        Assert.Equal(("done", $"{durable.Address}/runbooks", 2), (moved.Json.GetProperty("outcome").GetString(), moved.Json.GetProperty("active").GetString(), moved.Json.GetProperty("epoch").GetInt32()));

        // The source is the protected one now.
        cli["TEMPORAL_PROFILE"] = "durable";
        var there = await cli.RunAsync("bootstrap", "status", "--output", "json");
        var home = await cli.RunAsync("bootstrap", "pivot", "--to-profile", "laptop", "--to-namespace", "default", "--yes", "--output", "json");
        Assert.Equal(("active", "schedule drift/development"), (there.Json.GetProperty("role").GetString(), there.Json.GetProperty("work")[0].GetString()));
        Assert.True(home.ExitCode == 0, home.Error);
        Assert.Equal(($"{laptop.Address}/default", 3), (home.Json.GetProperty("active").GetString(), home.Json.GetProperty("epoch").GetInt32()));
        Assert.All(new[] { unknown, stranger, planned, moved, there, home }, said => Assert.DoesNotContain(ApiKey, said.Output + said.Error, StringComparison.Ordinal));
    }
}
