using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Redis;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Secrets;
using PlatformOps.Sandbox.External;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>A user of a real Redis server.</summary>
internal sealed class RedisSubject : RotatedSubject
{
    private const string Admin = "admin", AdminPassword = "canary-admin-password";

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-redis-").FullName;
    private Process? process;
    private int port;

    public override string Declared => "kind: redis-users\n    usernameKey: username\n    redis: {service: redis}";

    private string Address => $"127.0.0.1:{port}";

    private RedisUsers Clients => new(new([Address], Tls: false, null, null, null));

    public override async Task StartAsync()
    {
        if (!File.Exists("/usr/bin/redis-server"))
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") != "true", "Install Redis (Debian: apt-get install redis-server) to run the tests on a real server.");
        port = LocalPorts.Take();
        await File.WriteAllTextAsync(Path.Combine(folder, "users.acl"), $"user default off\nuser {Admin} on >{AdminPassword} ~* &* +@all\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "password"), AdminPassword);
        await RunAsync();
    }

    public override RegionConnection Connect(RegionConnection region) =>
        region with { External = new Dictionary<string, ExternalAccess> { ["redis"] = new(Address, TokenFile: Path.Combine(folder, "password"), User: Admin) } };

    public override async Task PrepareAsync(RotationWorld world, string login, string password)
    {
        await SayAsync("ACL", "SETUSER", login, "on", $">{password}", "~shop:*", "+get", "+set", "+ping");
        await SayAsync("ACL", "SAVE");
    }

    public override async Task<bool> LetsInAsync(string login, string password, string who) => await Clients.TryAsync(login, new(password), TestContext.Current.CancellationToken) == CredentialStanding.Accepted;

    public override async Task<int?> AcceptedAsync() => (await SayAsync("ACL", "LIST")).Split('\n').First(line => line.Contains("~shop:*", StringComparison.Ordinal)).Split(' ').Count(word => word.StartsWith('#'));

    /// <summary>Logins that were refused, by the server's own count.</summary>
    public Task<string> RefusalsAsync() => SayAsync("ACL", "LOG");

    public async Task RestartAsync()
    {
        await StopAsync();
        await RunAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task RunAsync()
    {
        process = Process.Start(new ProcessStartInfo("redis-server", ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder, "--aclfile", Path.Combine(folder, "users.acl"), "--save", "", "--logfile", Path.Combine(folder, "log")])
        {
            RedirectStandardOutput = true,
        })!;
        var users = new RedisUsers(new([Address], Tls: false, null, null, null));
        await Wait.UntilAsync(async () => await users.TryAsync(Admin, new(AdminPassword), TestContext.Current.CancellationToken) == CredentialStanding.Accepted, () => "Redis does not come up");
    }

    private async Task StopAsync()
    {
        if (process is null)
            return;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    private async Task<string> SayAsync(params string[] words)
    {
        using var client = Process.Start(new ProcessStartInfo("redis-cli", ["-p", port.ToString(CultureInfo.InvariantCulture), "--user", Admin, "-a", AdminPassword, "--no-auth-warning", .. words]) { RedirectStandardOutput = true })!;
        var said = await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        Assert.Equal(0, client.ExitCode);
        return said;
    }
}

/// <summary>The reserved user of an Elasticsearch, as the sandbox plays it.</summary>
internal sealed class ElasticsearchSubject : RotatedSubject
{
    private readonly string folder = Directory.CreateTempSubdirectory("platformops-elastic-").FullName;
    private ExternalStandIn standIn = null!;

    public override string Declared => "kind: elasticsearch-users\n    usernameKey: username";

    public override string Gate => "- elasticsearch: {service: elasticsearch, tls: false}";

    public override async Task StartAsync()
    {
        standIn = await ExternalStandIn.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "token"), standIn.Token);
    }

    public override RegionConnection Connect(RegionConnection region) =>
        region with { External = new Dictionary<string, ExternalAccess> { ["elasticsearch"] = new(standIn.Address("elasticsearch").AbsoluteUri, Path.Combine(folder, "token"), User: "admin") } };

    public override string FirstLogin(RotationWorld world) => "elastic";

    public override async Task PrepareAsync(RotationWorld world, string login, string password)
    {
        using var client = Client("admin", standIn.Token);
        using var answer = await client.PutAsJsonAsync("_security/user/elastic/_password", new { password });
        Assert.True(answer.IsSuccessStatusCode);
    }

    public override async Task<bool> LetsInAsync(string login, string password, string who)
    {
        using var client = Client(login, password);
        using var answer = await client.GetAsync("_cluster/health");
        return answer.IsSuccessStatusCode;
    }

    public override async ValueTask DisposeAsync()
    {
        await standIn.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private HttpClient Client(string user, string password) => new()
    {
        BaseAddress = standIn.Address("elasticsearch"),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))) },
    };
}
