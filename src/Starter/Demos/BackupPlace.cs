using System.Globalization;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Vault;
using PlatformOps.Guard.Configuration;
using PlatformOps.Sandbox.Vault;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Starter.Demos;

/// <summary>Where the backups of a demo are: a bucket of an S3 server on loopback, behind TLS, since pgBackRest speaks nothing else; and a Vault that knows which logins are valid.</summary>
/// <param name="folder">The demo's; its pair has its certificates in it.</param>
/// <param name="s3">Where the S3 server listens.</param>
internal sealed class BackupPlace(string folder, Uri s3, string accessKeyId, string secret) : IAsyncDisposable
{
    private const string Bucket = "backups", Region = "us-west-2";

    private TlsFront? front;
    private SandboxVault? vault;

    /// <summary>How the workers reach Vault.</summary>
    public VaultAccess Vault => new(vault!.Address.GetLeftPart(UriPartial.Authority), TokenFile: In("vault-token"));

    /// <summary>What a node's guard is told.</summary>
    public BackupSettings Of(GuardConfiguration node)
    {
        var certificates = Path.GetDirectoryName(node.Tls.Authority)!;
        front ??= new(s3.Port, Path.Combine(certificates, $"{LocalPair.Operator}.pem"), Path.Combine(certificates, $"{LocalPair.Operator}.key"));
        return new()
        {
            Repository = new(
                Bucket, "/pair", Region, string.Create(CultureInfo.InvariantCulture, $"localhost:{front.Port}"), PathStyle: true, Authority: node.Tls.Authority, CredentialsFile: In("credentials"), CipherPassFile: In("passphrase")),
            ArchiveTimeoutSeconds = 2,
            MarkerSeconds = 1,
        };
    }

    /// <summary>Makes what the guards and workers need.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        await File.WriteAllTextAsync(In("passphrase"), $"{Guid.NewGuid():N}", ct);
        using (var connection = new AwsConnection(new() { Region = Region, Endpoint = s3, Keys = new(accessKeyId, secret), CallTimeout = TimeSpan.FromSeconds(5) }))
            await new Buckets(connection).EnsureAsync(new() { Name = Bucket }, new("demo", FailoverWorld.Environment, Bucket), "demo", ct);
        vault = await SandboxVault.StartAsync(new(), ct);
        await File.WriteAllTextAsync(In("vault-token"), vault.RootToken, ct);
        using var root = VaultConnection.Open(new("demo", vault.Address), new GivenToken(new(vault.RootToken)));
        await new VaultSystem(root).MountAsync("secret", "kv", ct, options: new Dictionary<string, string> { ["version"] = "2" });
        await new VaultKeyValues(root).WriteAsync("platform/postgresql", new Dictionary<string, SecretText> { [StagedSecrets.Username] = new("app"), [StagedSecrets.Password] = new("app") }, null, ct);
    }

    /// <summary>What the workers are told of the bucket.</summary>
    public IReadOnlyDictionary<string, BackupAccess> Access(string environment) => new Dictionary<string, BackupAccess> { [environment] = new() { Bucket = Bucket, Aws = new(Region, s3.AbsoluteUri, In("credentials")) } };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (front is not null)
            await front.DisposeAsync();
        if (vault is not null)
            await vault.DisposeAsync();
    }

    private string In(string file) => Path.Combine(folder, file);
}
