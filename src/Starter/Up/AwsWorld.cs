using PlatformOps.Adapters;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Aws;

namespace PlatformOps.Starter.Up;

/// <summary>The account of AWS of an evaluation, with the zones that the environment's records are in.</summary>
internal sealed class AwsWorld : IAsyncDisposable
{
    /// <summary>A database takes minutes in AWS: too long to look at.</summary>
    private const double Haste = 0.02;

    private readonly AwsStandIn account;

    private AwsWorld(AwsStandIn account, (string Name, string Region)? bucket, (string Name, string Region)? copy) => (this.account, Bucket, Copy) = (account, bucket, copy);

    /// <summary>The bucket for backups that the environment declares; null: it declares none. The primary region's, from which S3 copies into the others.</summary>
    public (string Name, string Region)? Bucket { get; }

    /// <summary>The one that it is copied into; null: none.</summary>
    public (string Name, string Region)? Copy { get; }

    /// <summary>Calls that may have changed something, since the start.</summary>
    public long MutatingCalls => account.MutatingCalls;

    /// <summary>Null when the environment declares nothing in AWS.</summary>
    /// <param name="file">Where the account is kept.</param>
    public static async Task<AwsWorld?> StartAsync(EnvironmentSpecification environment, ComponentCatalog catalog, UpOptions options, string file, CancellationToken ct)
    {
        var declared = environment.Components.Where(component => component.Enabled)
            .SelectMany(component => environment.Regions.SelectMany(region => ManifestRenderer.Render(environment, catalog.Find(component.Name)!, region.Name)))
            .Where(item => item.Address.ApiVersion == ResourceAddress.AwsApiVersion).ToList();
        if (declared.Count == 0)
            return null;
        var account = await AwsStandIn.StartAsync(new() { DataFile = file, Seed = options.Seed, TimeScale = options.TimeScale * Haste }, ct);
        foreach (var zone in declared.Select(item => (string?)item.Manifest["spec"]?["zone"]).OfType<string>().Distinct())
            account.AddZone(zone);
        return new(account, Of(RegionRole.Primary), Of(RegionRole.Secondary));

        (string, string)? Of(RegionRole role) => declared.Find(item => item.Address.Kind == "Bucket" && item.Manifest["spec"]?["replicaOf"] is null == (role == RegionRole.Primary)) is { } bucket
            ? (bucket.Address.Name, environment.Regions.First(region => region.Role == role).Name) : null;
    }

    /// <inheritdoc cref="AwsStandIn.AcceptsLogin"/>
    public bool AcceptsLogin(string region, string identifier, string user, string password) => account.AcceptsLogin(region, identifier, user, password);

    /// <inheritdoc cref="AwsStandIn.AcceptsKey"/>
    public bool AcceptsKey(string id) => account.AcceptsKey(id);

    /// <inheritdoc cref="AwsStandIn.GiveKey"/>
    public (string Id, string Secret) GiveKey(string user) => account.GiveKey(user);

    public void Inject(Fault fault) => account.Inject(fault);

    /// <summary>How it is reached. Writes its credentials to a file of the data directory.</summary>
    public AwsSettings Connect(DataDirectory data)
    {
        DataDirectory.WriteSecret(data.AwsCredentials, $"[default]\naws_access_key_id = {account.AccessKeyId}\naws_secret_access_key = sandbox\n");
        return new(Endpoint: account.Address.AbsoluteUri, CredentialsFile: data.AwsCredentials);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => account.DisposeAsync();
}
