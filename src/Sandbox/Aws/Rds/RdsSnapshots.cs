using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>The operations of RDS on snapshots.</summary>
internal sealed partial class RdsCalls
{
    private static readonly TimeSpan Taking = TimeSpan.FromMinutes(1);

    private SortedDictionary<string, StoredSnapshot> Snapshots => state.Value.Snapshots;

    private XElement CreateSnapshot(AwsCall call)
    {
        var database = Available(call);
        var identifier = NewSnapshot(call, "DBSnapshotIdentifier");
        var tags = call.Tags();
        call.NothingElse();
        return call.Answer(Take(database, identifier, tags).ToXml(time.GetUtcNow()));
    }

    private XElement DescribeSnapshots(AwsCall call)
    {
        var (wanted, instance) = (call.Text("DBSnapshotIdentifier"), call.Text("DBInstanceIdentifier"));
        if (call.Text("SnapshotType") is not (null or "manual"))
            throw AwsFailure.Invalid("The sandbox has manual snapshots only");
        call.Number("MaxRecords");
        call.NothingElse();
        var found = wanted is not null ? [ExistingSnapshot(call.Region, wanted)]
            : Snapshots.Values.Where(snapshot => snapshot.Region == call.Region && (instance is null || snapshot.Instance == instance));
        return call.Answer(new XElement("DBSnapshots", found.Select(snapshot => snapshot.ToXml(time.GetUtcNow()))));
    }

    private XElement CopySnapshot(AwsCall call)
    {
        var identifier = NewSnapshot(call, "TargetDBSnapshotIdentifier");
        var (region, name) = SourceOf(call, call.Required("SourceDBSnapshotIdentifier"), "snapshot");
        var source = ExistingSnapshot(region, name);
        var (key, tags) = (call.Text("KmsKeyId"), call.Tags());
        call.NothingElse();
        if (!source.IsReady(time.GetUtcNow()))
            throw new AwsFailure(400, "InvalidDBSnapshotState", $"{name} is not in the available state");
        if (region != call.Region && source.Content.Encrypted && key is null)
            throw AwsFailure.Combination("A KMS key of this region is required to copy an encrypted snapshot of another region (KmsKeyId)");
        var copy = source with { Region = call.Region, Identifier = identifier, Ready = After(Taking), Tags = tags };
        Snapshots.Add(RdsState.Key(copy.Region, identifier), copy);
        return call.Answer(copy.ToXml(time.GetUtcNow()));
    }

    private XElement DeleteSnapshot(AwsCall call)
    {
        var snapshot = ExistingSnapshot(call.Region, call.Required("DBSnapshotIdentifier"));
        call.NothingElse();
        Snapshots.Remove(RdsState.Key(snapshot.Region, snapshot.Identifier));
        return call.Answer(snapshot.ToXml(time.GetUtcNow()));
    }

    private XElement RestoreSnapshot(AwsCall call)
    {
        var identifier = NewIdentifier(call, "DBInstanceIdentifier");
        var snapshot = ExistingSnapshot(call.Region, call.Required("DBSnapshotIdentifier"));
        if (!snapshot.IsReady(time.GetUtcNow()))
            throw new AwsFailure(400, "InvalidDBSnapshotState", $"{snapshot.Identifier} is not in the available state");
        return Begin(call, Copy(call, identifier, snapshot.Content));
    }

    private StoredSnapshot Take(StoredDatabase database, string identifier, Dictionary<string, string> tags)
    {
        var snapshot = new StoredSnapshot(database.Region, identifier, database.Identifier, database with { Tags = new(database.Tags) }, After(Taking), tags);
        Snapshots.Add(RdsState.Key(snapshot.Region, identifier), snapshot);
        return snapshot;
    }

    private string NewSnapshot(AwsCall call, string parameter) => Unused(call, call.Required(parameter));

    private string Unused(AwsCall call, string identifier) => Snapshots.ContainsKey(RdsState.Key(call.Region, identifier))
        ? throw new AwsFailure(400, "DBSnapshotAlreadyExists", $"Cannot create the snapshot because one with the identifier {identifier} already exists.")
        : identifier;

    private StoredSnapshot ExistingSnapshot(string region, string identifier) => Snapshots.GetValueOrDefault(RdsState.Key(region, identifier))
        ?? throw new AwsFailure(404, "DBSnapshotNotFound", $"DBSnapshot {identifier} not found.");
}
