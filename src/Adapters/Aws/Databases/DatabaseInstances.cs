using PlatformOps.Platform.Scaling;

namespace PlatformOps.Adapters.Aws.Databases;

/// <summary>Managed databases of a region. Creating looks before and after, takes what is already ours for done, and never touches what is not.</summary>
public sealed class DatabaseInstances(AwsConnection connection)
{
    private const int PageSize = 100;

    /// <summary>Null when there is no such instance.</summary>
    public async Task<DatabaseInstance?> FindAsync(string identifier, CancellationToken ct)
    {
        var answer = await connection.FindAsync(Named(identifier), token => connection.Rds.DescribeDBInstancesAsync(new() { DBInstanceIdentifier = identifier }, token), ct);
        return answer?.DBInstances is [var instance, ..] ? instance.ToInstance() : null;
    }

    /// <summary>Every instance of the region that carries the tags of an owner.</summary>
    public async Task<IReadOnlyList<DatabaseInstance>> OwnedAsync(AwsOwner owner, CancellationToken ct) =>
        [.. (await ListAsync(ct)).Where(instance => owner.WhyForeign(instance.Tags) is null)];

    /// <summary>Every instance of the region.</summary>
    public async Task<IReadOnlyList<DatabaseInstance>> ListAsync(CancellationToken ct)
    {
        List<DatabaseInstance> found = [];
        string? marker = null;
        do
        {
            var after = marker;
            var page = await connection.CallAsync("list", "database instances", token => connection.Rds.DescribeDBInstancesAsync(new() { MaxRecords = PageSize, Marker = after }, token), ct);
            found.AddRange((page.DBInstances ?? []).Select(instance => instance.ToInstance()));
            marker = page.Marker;
        }
        while (!string.IsNullOrEmpty(marker));
        return found;
    }

    /// <summary>Creates an instance, or adopts our own of this name. It is not available yet when this returns.</summary>
    /// <param name="masterPassword">Goes to RDS and nowhere else. Null: RDS makes one and keeps it in Secrets Manager; such an instance cannot have replicas.</param>
    public Task<Creation> CreateAsync(NewDatabase wanted, string? masterPassword, AwsOwner owner, string operationId, CancellationToken ct) => EnsureAsync(
        wanted.Identifier, owner, masterPassword, token => connection.Rds.CreateDBInstanceAsync(
            new()
            {
                DBInstanceIdentifier = wanted.Identifier,
                DBName = wanted.DatabaseName,
                Engine = wanted.Engine,
                EngineVersion = wanted.EngineVersion,
                MasterUsername = wanted.MasterUser,
                MasterUserPassword = masterPassword,
                ManageMasterUserPassword = masterPassword is null ? true : null,
                DBInstanceClass = wanted.Class,
                AllocatedStorage = wanted.StorageGigabytes,
                BackupRetentionPeriod = wanted.BackupDays,
                // Versions change by a plan, never by themselves.
                AutoMinorVersionUpgrade = false,
                MultiAZ = wanted.MultipleZones,
                DeletionProtection = wanted.DeletionProtection,
                // Never otherwise: a database of a platform is neither readable on the disk nor reachable from outside.
                StorageEncrypted = true,
                PubliclyAccessible = false,
                KmsKeyId = wanted.EncryptionKey,
                CopyTagsToSnapshot = true,
                DBSubnetGroupName = wanted.SubnetGroup,
                VpcSecurityGroupIds = wanted.SecurityGroups.OrNull(),
                Tags = owner.ToTags(operationId),
            }, token), ct);

    /// <summary>Creates a replica, or adopts our own of this name.</summary>
    /// <param name="source">An identifier of this region, or the ARN of an instance of another one.</param>
    public Task<Creation> CreateReplicaAsync(string identifier, string source, DatabasePlacement placement, AwsOwner owner, string operationId, CancellationToken ct) => EnsureAsync(
        identifier, owner, null, token => connection.Rds.CreateDBInstanceReadReplicaAsync(
            new()
            {
                DBInstanceIdentifier = identifier,
                SourceDBInstanceIdentifier = source,
                KmsKeyId = placement.EncryptionKey,
                SourceRegion = Arn.RegionOf(source),
                DBInstanceClass = placement.Class,
                MultiAZ = placement.MultipleZones,
                DeletionProtection = placement.DeletionProtection,
                PubliclyAccessible = false,
                CopyTagsToSnapshot = true,
                DBSubnetGroupName = placement.SubnetGroup,
                VpcSecurityGroupIds = placement.SecurityGroups.OrNull(),
                Tags = owner.ToTags(operationId),
            }, token), ct);

    /// <summary>Creates an instance from a snapshot, or adopts our own of this name.</summary>
    public Task<Creation> RestoreAsync(string identifier, string snapshot, DatabasePlacement placement, AwsOwner owner, string operationId, CancellationToken ct) => EnsureAsync(
        identifier, owner, null, token => connection.Rds.RestoreDBInstanceFromDBSnapshotAsync(
            new()
            {
                DBInstanceIdentifier = identifier,
                DBSnapshotIdentifier = snapshot,
                DBInstanceClass = placement.Class,
                MultiAZ = placement.MultipleZones,
                DeletionProtection = placement.DeletionProtection,
                PubliclyAccessible = false,
                DBSubnetGroupName = placement.SubnetGroup,
                VpcSecurityGroupIds = placement.SecurityGroups.OrNull(),
                Tags = owner.ToTags(operationId),
            }, token), ct);

    /// <summary>Creates an instance as another one was at a time, or adopts our own of this name.</summary>
    /// <param name="at">Null: as late as possible.</param>
    public Task<Creation> RestoreAsync(string identifier, string source, DateTimeOffset? at, DatabasePlacement placement, AwsOwner owner, string operationId, CancellationToken ct) => EnsureAsync(
        identifier, owner, null, token => connection.Rds.RestoreDBInstanceToPointInTimeAsync(
            new()
            {
                TargetDBInstanceIdentifier = identifier,
                SourceDBInstanceIdentifier = source,
                RestoreTime = at?.UtcDateTime,
                UseLatestRestorableTime = at is null ? true : null,
                DBInstanceClass = placement.Class,
                MultiAZ = placement.MultipleZones,
                DeletionProtection = placement.DeletionProtection,
                PubliclyAccessible = false,
                DBSubnetGroupName = placement.SubnetGroup,
                VpcSecurityGroupIds = placement.SecurityGroups.OrNull(),
                Tags = owner.ToTags(operationId),
            }, token), ct);

    /// <summary>Changes our instance, at once. Asking for what is already so changes nothing.</summary>
    public async Task ChangeAsync(string identifier, DatabaseChange change, AwsOwner owner, CancellationToken ct)
    {
        await OursAsync(identifier, owner, ct);
        await connection.CallAsync("change", Named(identifier), token => connection.Rds.ModifyDBInstanceAsync(
            new()
            {
                DBInstanceIdentifier = identifier,
                ApplyImmediately = true,
                EngineVersion = change.EngineVersion,
                DBInstanceClass = change.Class,
                AllocatedStorage = change.StorageGigabytes,
                BackupRetentionPeriod = change.BackupDays,
                MultiAZ = change.MultipleZones,
                DeletionProtection = change.DeletionProtection,
                VpcSecurityGroupIds = change.SecurityGroups?.OrNull(),
            }, token), ct);
    }

    /// <summary>Gives our instance another class and changes nothing else. What RDS was told already is not told again.</summary>
    /// <param name="from">The class that was decided on.</param>
    /// <param name="atOnce">False: in the next maintenance window.</param>
    /// <returns>False: it has that class, or is on its way to it.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: it has another class by now, or is on its way to another one.</exception>
    public async Task<bool> ResizeAsync(string identifier, string from, string to, bool atOnce, AwsOwner owner, CancellationToken ct)
    {
        var there = await OursAsync(identifier, owner, ct);
        var heading = there.Pending.Class ?? there.Class;
        if (heading == to)
            return false;
        if (heading != from)
            throw new AdapterException(AdapterFailureKind.Moved, $"{Named(identifier)} is {heading} by now, and {from} was decided on: somebody else has changed it. Look, then start the run again.");
        await connection.CallAsync("resize", Named(identifier), token => connection.Rds.ModifyDBInstanceAsync(new() { DBInstanceIdentifier = identifier, DBInstanceClass = to, ApplyImmediately = atOnce }, token), ct);
        return true;
    }

    /// <summary>Says at our instance why it has the class that it gets, in the place of what said so before.</summary>
    /// <param name="marks">By the names of <see cref="ScaleMarks"/>. What RDS does not take of a text is replaced.</param>
    public async Task MarkAsync(string identifier, IReadOnlyDictionary<string, string> marks, AwsOwner owner, CancellationToken ct)
    {
        var instance = await OursAsync(identifier, owner, ct);
        if (instance.Tags.Keys.Where(tag => ScaleMarks.Contain(tag) && !marks.ContainsKey(tag)).ToList() is { Count: > 0 } old)
            await connection.CallAsync("tag", Named(identifier), token => connection.Rds.RemoveTagsFromResourceAsync(new() { ResourceName = instance.Arn, TagKeys = old }, token), ct);
        await TagAsync(identifier, owner with { More = marks.ToDictionary(mark => mark.Key, mark => RdsWords.TagText(mark.Value)) }, null, ct);
    }

    /// <summary>Whether RDS has a class for this engine and version in the region.</summary>
    public async Task<bool> IsOfferedAsync(string engine, string version, string instanceClass, CancellationToken ct)
    {
        var answer = await connection.CallAsync("read", $"whether RDS has {instanceClass} for {engine} {version}", token => connection.Rds.DescribeOrderableDBInstanceOptionsAsync(
            new() { Engine = engine, EngineVersion = version, DBInstanceClass = instanceClass, MaxRecords = PageSize }, token), ct);
        return answer.OrderableDBInstanceOptions?.Exists(option => option.DBInstanceClass == instanceClass) == true;
    }

    /// <summary>Gives our instance another name, at once: RDS restarts it, and it answers by the new name's address. It is neither by its old nor by its new name for a while.</summary>
    public async Task RenameAsync(string identifier, string name, AwsOwner owner, CancellationToken ct)
    {
        await OursAsync(identifier, owner, ct);
        await connection.CallAsync("rename", Named(identifier), token => connection.Rds.ModifyDBInstanceAsync(new() { DBInstanceIdentifier = identifier, NewDBInstanceIdentifier = name, ApplyImmediately = true }, token), ct);
    }

    /// <summary>Has our instance be somebody else's, or of something else.</summary>
    public async Task HandOverAsync(string identifier, AwsOwner from, AwsOwner to, CancellationToken ct)
    {
        if (await FindAsync(identifier, ct) is { } there && to.WhyForeign(there.Tags) is null)
        {
            await TagAsync(identifier, to, null, ct);
            return;
        }

        var instance = await OursAsync(identifier, from, ct);
        await connection.CallAsync("tag", Named(identifier), token => connection.Rds.AddTagsToResourceAsync(new() { ResourceName = instance.Arn, Tags = to.ToTags(null) }, token), ct);
    }

    /// <summary>Writes the tags of our instance that differ; others stay. An attempt that begins again does not send what is already so.</summary>
    public async Task TagAsync(string identifier, AwsOwner owner, string? operationId, CancellationToken ct)
    {
        var instance = await OursAsync(identifier, owner, ct);
        if (owner.Tags(operationId).All(tag => instance.Tags.GetValueOrDefault(tag.Key) == tag.Value))
            return;
        await connection.CallAsync("tag", Named(identifier), token => connection.Rds.AddTagsToResourceAsync(
            new() { ResourceName = instance.Arn, Tags = owner.ToTags(operationId) }, token), ct);
    }

    /// <summary>Makes our replica an instance of its own. False: it is none any more, or is on its way.</summary>
    public async Task<bool> PromoteAsync(string identifier, int? backupDays, AwsOwner owner, CancellationToken ct)
    {
        var instance = await OursAsync(identifier, owner, ct);
        if (instance.ReplicaOf is null || instance.Status == "promoting")
            return false;
        await connection.CallAsync("promote", Named(identifier), token => connection.Rds.PromoteReadReplicaAsync(
            new() { DBInstanceIdentifier = identifier, BackupRetentionPeriod = backupDays }, token), ct);
        return true;
    }

    /// <summary>Deletes our instance. False: it is gone, or going.</summary>
    /// <param name="finalSnapshot">Taken before it goes; null: its data are lost.</param>
    public async Task<bool> DeleteAsync(string identifier, string? finalSnapshot, AwsOwner owner, CancellationToken ct)
    {
        if (await FindAsync(identifier, ct) is not { } instance)
            return false;
        RefuseForeign(instance, owner);
        if (instance.Status == "deleting")
            return false;
        try
        {
            await connection.CallAsync("delete", Named(identifier), token => connection.Rds.DeleteDBInstanceAsync(
                new() { DBInstanceIdentifier = identifier, SkipFinalSnapshot = finalSnapshot is null, FinalDBSnapshotIdentifier = finalSnapshot }, token), ct);
            return true;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Missing)
        {
            return false;
        }
    }

    /// <summary>What happened to an instance since a time; RDS remembers 14 days.</summary>
    public async Task<IReadOnlyList<DatabaseEvent>> EventsAsync(string identifier, DateTimeOffset since, CancellationToken ct)
    {
        var answer = await connection.CallAsync("read", $"the events of {Named(identifier)}", token => connection.Rds.DescribeEventsAsync(
            new() { SourceIdentifier = identifier, SourceType = "db-instance", StartTime = since.UtcDateTime, MaxRecords = PageSize }, token), ct);
        return [.. (answer.Events ?? []).Select(happened => new DatabaseEvent(happened.SourceIdentifier ?? "", happened.Date ?? default, happened.Message ?? "", happened.EventCategories ?? []))];
    }

    /// <summary>What an instance says of another one that it copies or is copied by.</summary>
    /// <param name="name">As RDS has it: an ARN when the other one is in another region.</param>
    /// <returns>Its region, null when it is the same, and its identifier.</returns>
    public static (string? Region, string Identifier) Place(string name) => (Arn.RegionOf(name), name[(name.LastIndexOf(':') + 1)..]);

    internal static string Named(string identifier) => $"database instance {identifier}";

    private async Task<Creation> EnsureAsync<T>(string identifier, AwsOwner owner, string? secret, Func<CancellationToken, Task<T>> create, CancellationToken ct)
    {
        if (await FindAsync(identifier, ct) is { } known)
        {
            RefuseForeign(known, owner);
            return Creation.Adopted;
        }

        try
        {
            await connection.CallAsync("create", Named(identifier), create, ct, secret);
            return Creation.Created;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Exists)
        {
            // It appeared meanwhile, or the look before did not see it yet. When it still cannot be seen, the caller comes back later.
            if (await FindAsync(identifier, ct) is not { } appeared)
                throw;
            RefuseForeign(appeared, owner);
            return Creation.Adopted;
        }
    }

    private async Task<DatabaseInstance> OursAsync(string identifier, AwsOwner owner, CancellationToken ct)
    {
        var instance = await FindAsync(identifier, ct)
            ?? throw new AdapterException(AdapterFailureKind.Missing, $"{Named(identifier)} does not exist in {connection.Region}. Provision it first.");
        RefuseForeign(instance, owner);
        return instance;
    }

    private void RefuseForeign(DatabaseInstance instance, AwsOwner owner)
    {
        if (owner.WhyForeign(instance.Tags) is { } why)
            throw connection.Foreign(Named(instance.Identifier), why);
    }
}
