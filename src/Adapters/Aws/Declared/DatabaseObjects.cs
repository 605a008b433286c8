using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>Managed databases as declared objects. An instance's name is its identifier, of which a region has one: creating it twice is impossible.</summary>
internal sealed class DatabaseObjects(
    string region, Func<string, AwsConnection> connections, Func<string, string, CancellationToken, Task<IReadOnlyDictionary<string, SecretText>?>> secrets) : AwsKind
{
    public const string Kind = "DatabaseInstance";

    /// <summary>The key of the account for RDS in each region. A copy of an encrypted instance of another region must name one.</summary>
    private const string AccountKey = "alias/aws/rds";

    private const int PasswordLength = 40;

    private readonly DatabaseInstances databases = new(connections(region));

    /// <inheritdoc/>
    public override async Task<IEnumerable<ObservedObject>> ObserveAsync(IReadOnlyDictionary<string, string> labels, IReadOnlyList<DesiredObject> wanted, CancellationToken ct)
    {
        var names = wanted.Select(item => item.Address.Name).ToHashSet();
        var found = (await databases.ListAsync(ct)).Where(instance => names.Contains(instance.Identifier) || Carries(instance.Tags, labels)).ToList();
        // A list may lag behind: what is wanted is asked for by its name.
        foreach (var name in names.Except(found.Select(instance => instance.Identifier)))
            if (await databases.FindAsync(name, ct) is { } instance)
                found.Add(instance);
        return found
            .Select(instance => LiveManifest.Aligned(Observed(instance), wanted, "securityGroups"));
    }

    /// <inheritdoc/>
    public override async Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct) => await databases.FindAsync(address.Name, ct) is { } instance ? Observed(instance) : null;

    /// <inheritdoc/>
    public override void Check(DesiredObject wanted) => DatabaseManifest.Read(wanted);

    /// <inheritdoc/>
    public override async Task CreateAsync(DesiredObject wanted, CancellationToken ct)
    {
        var (name, declared, owner) = (wanted.Address.Name, DatabaseManifest.Read(wanted, creates: true), Owner(wanted));
        if (declared.ReplicaOf is { } source)
            await databases.CreateReplicaAsync(name, await SourceAsync(source, ct), Placement(declared, source.Region), owner, owner.Creator(), ct);
        else
            await databases.CreateAsync(New(name, declared), await PasswordAsync(wanted, declared, ct), owner, owner.Creator(), ct);
    }

    /// <summary>Tags first: an attempt that dies between the two calls leaves a difference that the next one sees.</summary>
    public override async Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct)
    {
        var (name, declared, owner) = (wanted.Address.Name, DatabaseManifest.Read(wanted), Owner(wanted));
        await databases.TagAsync(name, owner, owner.KnownCreator(), ct);
        if (await databases.FindAsync(name, ct) is { } now && declared.From(now) is var change && change != new DatabaseChange())
            await databases.ChangeAsync(name, change, owner, ct);
    }

    /// <summary>What a replica has from its source is not declared of it.</summary>
    public override JsonObject? Declaration(ObservedObject live)
    {
        if (base.Declaration(live) is not { } declaration)
            return null;
        var spec = (JsonObject)declaration["spec"]!;
        foreach (var inherited in DatabaseManifest.OfTheSource.Where(_ => spec["replicaOf"] is not null))
            spec.Remove(inherited);
        return declaration;
    }

    /// <summary>RDS takes the next change when it has carried the one before out, which takes minutes.</summary>
    public override async Task<string?> WhyBusyAsync(ObservedObject live, CancellationToken ct) => await databases.FindAsync(live.Address.Name, ct) is { Busy: true } now
        ? $"{live.Address} is {now.Status}, and takes no change until that has ended"
        : null;

    /// <summary>Protection is how its owner says that there is something in it.</summary>
    public override async Task<string?> WhyKeepAsync(ObservedObject live, CancellationToken ct) => await databases.FindAsync(live.Address.Name, ct) is { DeletionProtection: true }
        ? $"{live.Address} is protected against deletion (spec.deletionProtection). Switch that off with ModifyDBInstance and retry when its data may go, or skip the step to keep it."
        : null;

    /// <summary>What may hold data leaves a last snapshot. A replica cannot, and needs none; what was never available holds nothing.</summary>
    public override async Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct)
    {
        if (await databases.FindAsync(live.Address.Name, ct) is not { } now)
            return false;
        var last = now is { Available: true, ReplicaOf: null } ? $"{now.Identifier}-final-{Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(now.ResourceId ?? now.Arn)))[..8]}" : null;
        return await databases.DeleteAsync(now.Identifier, last, LiveManifest.Owner(now.Tags), ct);
    }

    private ObservedObject Observed(DatabaseInstance instance) => DatabaseManifest.Of(new(region, ResourceAddress.AwsApiVersion, Kind, null, instance.Identifier), instance);

    private async Task<string> SourceAsync((string Region, string Name) source, CancellationToken ct)
    {
        if (source.Region == region)
            return source.Name;
        var found = await new DatabaseInstances(connections(source.Region)).FindAsync(source.Name, ct);
        return found?.Arn ?? throw new AdapterException(
            AdapterFailureKind.Missing, $"{DatabaseInstances.Named(source.Name)} does not exist in {source.Region}, so that there is nothing to replicate to {region}. Provision it there first.");
    }

    private DatabasePlacement Placement(DatabaseManifest declared, string source) => new()
    {
        Class = declared.Class,
        MultipleZones = declared.MultipleZones,
        DeletionProtection = declared.DeletionProtection,
        SubnetGroup = declared.SubnetGroup,
        SecurityGroups = declared.SecurityGroups,
        EncryptionKey = declared.EncryptionKey ?? (source == region ? null : AccountKey),
    };

    private static NewDatabase New(string name, DatabaseManifest declared) => new()
    {
        Identifier = name,
        Engine = declared.Engine,
        EngineVersion = declared.EngineVersion,
        Class = declared.Class!,
        StorageGigabytes = declared.StorageGigabytes!.Value,
        BackupDays = declared.BackupDays ?? 7,
        MultipleZones = declared.MultipleZones ?? false,
        DeletionProtection = declared.DeletionProtection,
        EncryptionKey = declared.EncryptionKey,
        SubnetGroup = declared.SubnetGroup,
        SecurityGroups = declared.SecurityGroups,
        DatabaseName = declared.DatabaseName,
        MasterUser = declared.MasterUser!,
    };

    private static AwsOwner Owner(DesiredObject wanted)
    {
        var (owner, spec) = (LiveManifest.Owner(wanted), wanted.Manifest["spec"]);
        return owner with
        {
            More = owner.More.Concat(DatabaseManifest.Tags.Where(tag => spec?[tag.Field] is not null).Select(tag => KeyValuePair.Create(tag.Tag, (string)spec![tag.Field]!))).ToDictionary(),
        };
    }

    /// <summary>That of the Secret, which was there before; or one that is sent to RDS and kept by nobody. Null: RDS makes it.</summary>
    private async Task<string?> PasswordAsync(DesiredObject wanted, DatabaseManifest declared, CancellationToken ct)
    {
        if (declared.ManagesPassword)
            return null;
        if (declared.PasswordSecret is not var (space, name))
            return RandomPassword();
        return (await secrets(space, name, ct))?.GetValueOrDefault("password")?.Reveal() ?? throw new AdapterException(
            AdapterFailureKind.Missing, $"{wanted.Address}: spec.masterPasswordSecret names the Secret {space}/{name} of {region}, which is not there or has no key password. Create it, then retry.");
    }

    private static string RandomPassword() => RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", PasswordLength);
}
