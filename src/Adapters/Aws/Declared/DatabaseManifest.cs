using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>A managed database as it is declared.</summary>
/// <param name="Class">Null: it is left as it is, since scaling has set it.</param>
/// <param name="ReplicaOf">The region and name of the instance that it copies; null: it is one of its own.</param>
/// <param name="MasterUser">Null for a replica, which has its source's.</param>
/// <param name="PasswordSecret">The namespace and name of the Secret of the region's cluster whose key <c>password</c> the master user gets; null: nobody keeps it.</param>
/// <param name="ManagesPassword">RDS makes the master password and keeps it in Secrets Manager. RDS makes no replicas of such an instance.</param>
internal sealed record DatabaseManifest(
    string Engine, string? EngineVersion, string? Class, int? StorageGigabytes, bool? MultipleZones, int? BackupDays, bool DeletionProtection, string? EncryptionKey,
    string? DatabaseName, string? MasterUser, (string Space, string Name)? PasswordSecret, bool ManagesPassword, string? SubnetGroup, IReadOnlyList<string> SecurityGroups, (string Region, string Name)? ReplicaOf)
{
    /// <summary>The tags with what was declared and RDS does not tell: it names the key that an alias led to, and no Secret.</summary>
    public static IReadOnlyList<(string Tag, string Field)> Tags { get; } = [("platformops.io/kms-key-id", "kmsKeyId"), ("platformops.io/master-password-secret", "masterPasswordSecret")];

    /// <summary>Fields that a replica has from its source, and that are not declared of it.</summary>
    public static IReadOnlyList<string> OfTheSource { get; } = ["databaseName", "masterUsername", "masterPasswordSecret", "manageMasterUserPassword"];

    /// <param name="creates">Whether it is to be made of it, so that nothing may be left out.</param>
    public static DatabaseManifest Read(DesiredObject wanted, bool creates = false)
    {
        var fields = DeclaredFields.Of(wanted);
        var source = fields.Part("replicaOf");
        var read = new DatabaseManifest(
            fields.Required("engine"), fields.Text("engineVersion"), creates ? fields.Required("instanceClass") : fields.Text("instanceClass"), fields.Number("allocatedStorage"), fields.Flag("multiAz"),
            fields.Number("backupRetention"), fields.Flag("deletionProtection") ?? true, fields.Text("kmsKeyId"), fields.Text("databaseName"), fields.Text("masterUsername"), SecretOf(fields),
            fields.Flag("manageMasterUserPassword") ?? false, fields.Text("subnetGroup"), fields.Texts("securityGroups"),
            source is null ? null : (source.Required("region"), source.Required("name")));
        fields.AlwaysOn("storageEncrypted", "a database is never readable on the disk");
        source?.NothingElse();
        fields.NothingElse();
        if (read.ReplicaOf is null)
        {
            fields.Required("masterUsername");
            fields.RequiredNumber("allocatedStorage");
        }
        else if (read.MasterUser is not null || read.DatabaseName is not null || read.ManagesPassword || read.PasswordSecret is not null)
            throw fields.Wrong("replicaOf", "makes it a replica, which has masterUsername, masterPasswordSecret, databaseName and manageMasterUserPassword from its source: remove them");
        if (read is { ManagesPassword: true, PasswordSecret: not null })
            throw fields.Wrong("masterPasswordSecret", "says who keeps the password, and manageMasterUserPassword says that RDS does: remove one of the two");
        return read;
    }

    public static ObservedObject Of(ResourceAddress address, DatabaseInstance instance)
    {
        var tags = instance.Tags.Where(tag => Tags.All(own => own.Tag != tag.Key)).ToDictionary();
        var live = LiveManifest.Of(address, instance.ResourceId ?? instance.Arn, tags, LiveManifest.Fields(
            ("engine", instance.Engine),
            ("engineVersion", instance.Pending.EngineVersion ?? instance.EngineVersion),
            ("instanceClass", instance.Pending.Class ?? instance.Class),
            ("allocatedStorage", instance.Pending.StorageGigabytes ?? instance.StorageGigabytes),
            ("multiAz", instance.Pending.MultipleZones ?? instance.MultipleZones),
            ("backupRetention", instance.Pending.BackupDays ?? instance.BackupDays),
            ("storageEncrypted", instance.Encrypted),
            ("deletionProtection", instance.DeletionProtection),
            ("kmsKeyId", instance.Tags.GetValueOrDefault(Tags[0].Tag)),
            ("masterPasswordSecret", instance.Tags.GetValueOrDefault(Tags[1].Tag)),
            ("databaseName", instance.DatabaseName),
            ("masterUsername", instance.MasterUser),
            ("manageMasterUserPassword", instance.ManagesPassword),
            ("subnetGroup", instance.SubnetGroup),
            ("securityGroups", LiveManifest.Texts(instance.SecurityGroups)),
            ("replicaOf", SourceOf(address.Region, instance.ReplicaOf))), "replicaOf");
        // Our own tags are no field managers: what somebody else has set since is not the scaling's.
        if (tags.GetValueOrDefault(ScaleMarks.To) == (instance.Pending.Class ?? instance.Class) && live.Manifest["metadata"]!["managedFields"] is JsonArray owners)
            owners.Add((JsonNode)new JsonObject { ["manager"] = ScaleMarks.FieldManager, ["fieldsV1"] = new JsonObject { ["f:spec"] = new JsonObject { ["f:instanceClass"] = new JsonObject() } } });
        if (instance.Address?.Split(':') is [var host, var port])
            live.Manifest["status"] = new JsonObject { ["address"] = host, ["port"] = int.Parse(port, CultureInfo.InvariantCulture) };
        if (instance.Status == "deleting")
            live.Manifest["metadata"]!["deletionTimestamp"] = "unknown";
        return live;
    }

    /// <summary>What there is to change; what is not declared stays. What was asked for and is still to be carried out counts as done: only another wish takes it back.</summary>
    public DatabaseChange From(DatabaseInstance now) => new()
    {
        EngineVersion = EngineVersion == (now.Pending.EngineVersion ?? now.EngineVersion) ? null : EngineVersion,
        Class = Class == (now.Pending.Class ?? now.Class) ? null : Class,
        StorageGigabytes = StorageGigabytes == (now.Pending.StorageGigabytes ?? now.StorageGigabytes) ? null : StorageGigabytes,
        BackupDays = BackupDays == (now.Pending.BackupDays ?? now.BackupDays) ? null : BackupDays,
        MultipleZones = MultipleZones == (now.Pending.MultipleZones ?? now.MultipleZones) ? null : MultipleZones,
        DeletionProtection = DeletionProtection == now.DeletionProtection ? null : DeletionProtection,
        SecurityGroups = SecurityGroups.Count == 0 || SecurityGroups.Order(StringComparer.Ordinal).SequenceEqual(now.SecurityGroups.Order(StringComparer.Ordinal)) ? null : SecurityGroups,
    };

    private static (string, string)? SecretOf(DeclaredFields fields) => fields.Text("masterPasswordSecret") switch
    {
        null => null,
        var text when text.Split('/') is [{ Length: > 0 } space, { Length: > 0 } name] => (space, name),
        var text => throw fields.Wrong("masterPasswordSecret", $"is {text}: NAMESPACE/NAME of a Secret is expected"),
    };

    /// <summary>Within a region RDS says the identifier, across regions the ARN.</summary>
    private static JsonObject? SourceOf(string region, string? source) => source is null ? null : new()
    {
        ["region"] = Arn.RegionOf(source) ?? region,
        ["name"] = source[(source.LastIndexOf(':') + 1)..],
    };
}
