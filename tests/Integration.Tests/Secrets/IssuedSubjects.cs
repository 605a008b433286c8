using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Sandbox.Aws;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>A secret id of an AppRole.</summary>
internal sealed class AppRoleSubject : RotatedSubject
{
    private VaultAppRoles roles = null!;

    public const string Role = "shop";

    public override string Declared => "kind: approle-secret-id\n    appRole: {role: shop}";

    public override async Task PrepareAsync(RotationWorld world, string login, string password)
    {
        var system = new VaultSystem(world.Root);
        await system.EnableLoginMethodAsync("approle", "approle", Ct);
        roles = new(world.Root);
        await roles.WriteAsync(Role, new([], TimeSpan.FromHours(1), TimeSpan.FromHours(1)), TimeSpan.Zero, Ct);
        await world.PublishAsync(login, (await roles.NewSecretIdAsync(Role, Ct)).Value.Reveal());
    }

    public override async Task<bool> LetsInAsync(string login, string password, string who)
    {
        try
        {
            await roles.ProveAsync(Role, new(password), Ct);
            return true;
        }
        catch (VaultException)
        {
            return false;
        }
    }

    public override async Task<int?> AcceptedAsync() => (await roles.SecretIdsAsync(Role, Ct)).Count;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>One that was made for a rotation, whose answer was lost.</summary>
    public Task LoseAsync(string rotation) => roles.NewSecretIdAsync(Role, Ct, new Dictionary<string, string> { ["rotation"] = rotation });

    private static CancellationToken Ct => TestContext.Current.CancellationToken;
}

/// <summary>A token of Vault.</summary>
internal sealed class VaultTokenSubject : RotatedSubject
{
    private VaultTokens tokens = null!;

    public override string Declared => "kind: vault-token\n    token: {period: 2d}";

    public override async Task PrepareAsync(RotationWorld world, string login, string password)
    {
        tokens = new(world.Root);
        await world.PublishAsync(login, (await tokens.NewAsync(null, ["default"], TimeSpan.FromDays(2), "shop", new Dictionary<string, string>(), Ct)).Token.Reveal());
    }

    public override async Task<bool> LetsInAsync(string login, string password, string who) => await tokens.FindAsync(new(password), Ct) is not null;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;
}

/// <summary>The access keys of a user of IAM, at a server that checks signatures.</summary>
internal sealed partial class IamSubject : RotatedSubject
{
    private const string Everything = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": "*"}]}""";

    private readonly string file = Path.GetTempFileName();
    private MotoProcess? moto;
    private AwsKeys shop = null!, admin = null!;

    public override string Declared => "kind: iam-access-keys\n    usernameKey: username\n    iamUser: shop";

    public override async Task StartAsync()
    {
        if (MotoProcess.Missing is { } missing && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail(missing);
        Assert.SkipWhen(MotoProcess.Missing is not null, MotoProcess.Missing ?? "");
        // Two users, each with a policy and a key.
        moto = await MotoProcess.StartAsync(freeCalls: 6);
        (admin, shop) = (await NewUserAsync("admin"), await NewUserAsync("shop"));
        await File.WriteAllTextAsync(file, $"[default]\naws_access_key_id = {admin.AccessKeyId}\naws_secret_access_key = {admin.SecretAccessKey}\n");
    }

    public override RegionConnection Connect(RegionConnection region) => region with { Aws = new(Endpoint: moto!.Address.ToString(), CredentialsFile: file) };

    public override Task PrepareAsync(RotationWorld world, string login, string password) => world.PublishAsync(shop.AccessKeyId, shop.SecretAccessKey);

    public override async Task<bool> LetsInAsync(string login, string password, string who)
    {
        using var connection = new AwsConnection(new() { Region = "us-east-1", Endpoint = moto!.Address, Keys = new(login, password) });
        try
        {
            return (await new AwsIdentity(connection).CallerAsync(Ct)).Arn.EndsWith("user/shop", StringComparison.Ordinal);
        }
        catch (AdapterException refused) when (refused.Kind == AdapterFailureKind.Unauthorized)
        {
            return false;
        }
    }

    public override async Task<int?> AcceptedAsync() => (await KeysAsync(keys => keys.ListAsync(Ct))).Count;

    /// <summary>One that was made, whose answer was lost.</summary>
    public Task LoseAsync() => KeysAsync(keys => keys.NewAsync(Ct));

    /// <summary>The one that consumers have from the beginning.</summary>
    public string First => shop.AccessKeyId;

    public override async ValueTask DisposeAsync()
    {
        if (moto is not null)
            await moto.DisposeAsync();
        File.Delete(file);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<T> KeysAsync<T>(Func<Adapters.Aws.Identities.AccessKeys, Task<T>> work)
    {
        using var connection = new AwsConnection(new() { Region = "us-east-1", Endpoint = moto!.Address, Keys = admin });
        return await work(new(connection, "shop"));
    }

    private async Task<AwsKeys> NewUserAsync(string name)
    {
        await CallAsync(new() { ["Action"] = "CreateUser", ["UserName"] = name });
        await CallAsync(new() { ["Action"] = "PutUserPolicy", ["UserName"] = name, ["PolicyName"] = "all", ["PolicyDocument"] = Everything });
        var answer = await CallAsync(new() { ["Action"] = "CreateAccessKey", ["UserName"] = name });
        return new(KeyId().Match(answer).Groups[1].Value, Secret().Match(answer).Groups[1].Value);
    }

    private async Task<string> CallAsync(Dictionary<string, string> form)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, moto!.Address) { Content = new FormUrlEncodedContent(form.Append(new("Version", "2010-05-08"))) };
        request.Headers.TryAddWithoutValidation("Authorization", "AWS4-HMAC-SHA256 Credential=admin/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0");
        using var answer = await client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return text;
    }

    [GeneratedRegex("<AccessKeyId>(.*?)</AccessKeyId>")]
    private static partial Regex KeyId();

    [GeneratedRegex("<SecretAccessKey>(.*?)</SecretAccessKey>")]
    private static partial Regex Secret();
}

/// <summary>The access key with which an Elasticsearch writes its snapshots: its nodes have one until they are told another. At a stand-in, since moto lets in who shows a key that is inactive.</summary>
internal sealed class SnapshotKeySubject : RotatedSubject
{
    private readonly string folder = Directory.CreateTempSubdirectory("platformops-snapshots-").FullName;
    private AwsStandIn aws = null!;
    private ExternalStandIn elasticsearch = null!;

    public override string Declared => "kind: iam-access-keys\n    usernameKey: username\n    iamUser: shop\n    provedBy: snapshot-repositories";

    public override string Gate => "- elasticsearch: {service: elasticsearch, tls: false}";

    /// <summary>The key in the keystores of Elasticsearch's nodes.</summary>
    public string NodesHave { get; set; } = "";

    private string Credentials => Path.Combine(folder, "aws");

    private string Token => Path.Combine(folder, "token");

    public override async Task StartAsync()
    {
        aws = await AwsStandIn.StartAsync(new(), Ct);
        elasticsearch = await ExternalStandIn.StartAsync(bucketRefusal: _ => Task.FromResult(aws.AcceptsKey(NodesHave) ? null : "The AWS Access Key Id you provided does not exist in our records."), ct: Ct);
        await File.WriteAllTextAsync(Credentials, $"[default]\naws_access_key_id = {aws.AccessKeyId}\naws_secret_access_key = not-a-secret\n");
        await File.WriteAllTextAsync(Token, elasticsearch.Token);
    }

    public override RegionConnection Connect(RegionConnection region) => region with
    {
        Aws = new(Endpoint: aws.Address.ToString(), CredentialsFile: Credentials),
        External = new Dictionary<string, ExternalAccess> { ["elasticsearch"] = new(elasticsearch.Address("elasticsearch").AbsoluteUri, Token, User: "admin") },
    };

    public override async Task PrepareAsync(RotationWorld world, string login, string password)
    {
        var (id, secret) = aws.GiveKey("shop");
        NodesHave = id;
        await world.PublishAsync(id, secret);
        using var client = new HttpClient { BaseAddress = elasticsearch.Address("elasticsearch"), DefaultRequestHeaders = { Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{elasticsearch.Token}"))) } };
        using var made = await client.PutAsJsonAsync("_snapshot/backups", new { type = "s3", settings = new { bucket = "backups", base_path = "search", client = "default" } }, Ct);
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Ct));
    }

    public override Task<bool> LetsInAsync(string login, string password, string who) => Task.FromResult(aws.AcceptsKey(login));

    public override async ValueTask DisposeAsync()
    {
        await elasticsearch.DisposeAsync();
        await aws.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;
}

/// <summary>A token of a project of GitLab, or the password of Grafana's admin.</summary>
internal sealed class ServiceSubject(string service, string declared) : RotatedSubject
{
    private readonly string token = Path.GetTempFileName();

    public ExternalStandIn StandIn { get; private set; } = null!;

    public override string Declared => declared;

    public override async Task StartAsync()
    {
        StandIn = await ExternalStandIn.StartAsync();
        await File.WriteAllTextAsync(token, StandIn.Token);
    }

    public override RegionConnection Connect(RegionConnection region) =>
        region with { External = new Dictionary<string, ExternalAccess> { [service] = new(StandIn.Address(service).AbsoluteUri, token, token) } };

    public override string FirstLogin(RotationWorld world) => "admin";

    public override async Task PrepareAsync(RotationWorld world, string login, string password)
    {
        if (service == "grafana")
            StandIn.SetPassword(login, password);
        else if (StandIn.Issue(service, "made by hand") is var (id, value))
            await world.PublishAsync(id, value);
    }

    public override Task<bool> LetsInAsync(string login, string password, string who) =>
        Task.FromResult(service == "grafana" ? StandIn.HasPassword(login, password) : StandIn.Accepts(service, password));

    public override Task<int?> AcceptedAsync() => Task.FromResult<int?>(service == "grafana" ? null : StandIn.Issued(service));

    public override async ValueTask DisposeAsync()
    {
        await StandIn.DisposeAsync();
        File.Delete(token);
    }
}
