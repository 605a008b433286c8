using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>The operations of RDS on Aurora clusters and global databases, as much as changing places takes.</summary>
internal sealed partial class RdsCalls
{
    public const string Aurora = "aurora-postgresql";

    private static readonly TimeSpan SwitchingOver = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan FailingOver = TimeSpan.FromMinutes(1);

    private SortedDictionary<string, StoredCluster> Clusters => state.Value.Clusters;

    private SortedDictionary<string, StoredGlobal> Globals => state.Value.Globals;

    /// <summary>Ends the changes of places that are over by now.</summary>
    private void AdvanceGlobals()
    {
        foreach (var whole in Globals.Values.Where(whole => whole.Until <= time.GetUtcNow()))
        {
            var before = whole.Members[0];
            whole.Members.Remove(whole.Target!);
            whole.Members.Insert(0, whole.Target!);
            // Aurora makes the cluster that was left behind anew as a secondary.
            if (whole.Loses)
                Clusters[before].Ready = After(Creating);
            (whole.Target, whole.Until, whole.Loses) = (null, null, false);
        }
    }

    private XElement CreateGlobal(AwsCall call)
    {
        var (identifier, engine) = (call.Required("GlobalClusterIdentifier"), call.Required("Engine"));
        call.NothingElse();
        if (engine != Aurora)
            throw AwsFailure.Invalid($"Invalid DB engine: the sandbox has {Aurora}");
        if (Globals.ContainsKey(identifier))
            throw new AwsFailure(400, "GlobalClusterAlreadyExistsFault", $"Global cluster {identifier} already exists");
        return call.Answer(Xml(Globals[identifier] = new() { Identifier = identifier }));
    }

    private XElement DescribeGlobals(AwsCall call)
    {
        var wanted = call.Text("GlobalClusterIdentifier");
        call.Number("MaxRecords");
        call.NothingElse();
        return call.Answer(new XElement("GlobalClusters", (wanted is null ? Globals.Values.ToList() : [Global(wanted)]).Select(Xml)));
    }

    private XElement CreateCluster(AwsCall call)
    {
        var (identifier, engine, whole) = (call.Required("DBClusterIdentifier"), call.Required("Engine"), call.Text("GlobalClusterIdentifier"));
        var (user, password) = (call.Text("MasterUsername"), call.Text("MasterUserPassword"));
        var cluster = new StoredCluster { Region = call.Region, Identifier = identifier, Ready = After(Creating), SecurityGroups = Placement(call), Tags = call.Tags() };
        call.NothingElse();
        if (engine != Aurora)
            throw AwsFailure.Invalid($"Invalid DB engine: the sandbox has {Aurora}");
        var key = RdsState.Key(call.Region, identifier);
        if (Clusters.ContainsKey(key))
            throw new AwsFailure(400, "DBClusterAlreadyExistsFault", $"DB Cluster {identifier} already exists");
        var global = whole is null ? null : Global(whole);
        var secondary = global is { Members.Count: > 0 };
        if (secondary == user is not null || user is null != password is null)
            throw AwsFailure.Combination("A primary cluster has MasterUsername and MasterUserPassword, a secondary one has neither");
        if (global?.Members.Exists(member => Clusters[member].Region == call.Region) == true)
            throw AwsFailure.Invalid($"{whole} has a cluster in {call.Region} already");
        Clusters.Add(key, cluster);
        global?.Members.Add(key);
        return call.Answer(Xml(cluster));
    }

    private XElement DescribeClusters(AwsCall call)
    {
        var wanted = call.Text("DBClusterIdentifier");
        call.Number("MaxRecords");
        call.NothingElse();
        return call.Answer(new XElement("DBClusters", (wanted is null ? Clusters.Values.Where(cluster => cluster.Region == call.Region).ToList() : [Cluster(call.Region, wanted)]).Select(Xml)));
    }

    private XElement ModifyCluster(AwsCall call)
    {
        var cluster = Cluster(call.Region, call.Required("DBClusterIdentifier"));
        if (call.Flag("ApplyImmediately") != true)
            throw AwsFailure.Invalid("The sandbox has no maintenance windows: ApplyImmediately must be true");
        var groups = call.List("VpcSecurityGroupIds", "VpcSecurityGroupId");
        call.NothingElse();
        if (!cluster.IsReady(time.GetUtcNow()))
            throw ClusterState(cluster);
        if (groups.Count > 0)
            cluster.SecurityGroups = groups;
        return call.Answer(Xml(cluster));
    }

    private XElement SwitchOver(AwsCall call)
    {
        var (whole, target) = Change(call);
        call.NothingElse();
        if (Clusters[whole.Members[0]].Region != call.Region)
            throw new AwsFailure(400, "InvalidDBClusterStateFault", $"A switchover is asked for in the region of the primary cluster, {Clusters[whole.Members[0]].Region}");
        if (whole.Members.Select(member => Clusters[member]).FirstOrDefault(member => !member.IsReady(time.GetUtcNow())) is { } busy)
            throw ClusterState(busy);
        (whole.Target, whole.Until, whole.Loses) = (target, After(SwitchingOver), false);
        return call.Answer(Xml(whole));
    }

    private XElement FailOver(AwsCall call)
    {
        var (whole, target) = Change(call);
        if (call.Flag("AllowDataLoss") != true)
            throw AwsFailure.Invalid("The sandbox fails over with AllowDataLoss only; SwitchoverGlobalCluster loses nothing");
        call.NothingElse();
        if (Clusters[target].Region != call.Region)
            throw new AwsFailure(400, "InvalidDBClusterStateFault", $"A failover is asked for in the region of its target, {Clusters[target].Region}");
        (whole.Target, whole.Until, whole.Loses) = (target, After(FailingOver), true);
        return call.Answer(Xml(whole));
    }

    private (StoredGlobal Whole, string Target) Change(AwsCall call)
    {
        var (whole, arn) = (Global(call.Required("GlobalClusterIdentifier")), call.Required("TargetDbClusterIdentifier"));
        if (whole.Target is not null)
            throw new AwsFailure(400, "InvalidGlobalClusterStateFault", $"Global cluster {whole.Identifier} is changing over already");
        var target = whole.Members.Find(member => Clusters[member].Arn == arn) ?? throw new AwsFailure(404, "DBClusterNotFoundFault", $"{arn} is no member of {whole.Identifier}");
        return target == whole.Members[0] ? throw new AwsFailure(400, "InvalidDBClusterStateFault", $"{arn} is the primary cluster") : (whole, target);
    }

    private StoredGlobal Global(string identifier) => Globals.GetValueOrDefault(identifier)
        ?? throw new AwsFailure(404, "GlobalClusterNotFoundFault", $"Global cluster {identifier} not found");

    private StoredCluster Cluster(string region, string identifier) => Clusters.GetValueOrDefault(RdsState.Key(region, identifier))
        ?? throw new AwsFailure(404, "DBClusterNotFoundFault", $"DBCluster {identifier} not found.");

    private static AwsFailure ClusterState(StoredCluster cluster) => new(400, "InvalidDBClusterStateFault", $"{cluster.Identifier} is not in the available state");

    private XElement Xml(StoredCluster cluster) => cluster.ToXml(time.GetUtcNow(), Databases.Values.Where(instance => instance.Cluster == RdsState.Key(cluster.Region, cluster.Identifier)).OrderBy(instance => instance.Created));

    private XElement Xml(StoredGlobal whole) => whole.ToXml(member => Clusters[member].Arn, member => Clusters[member].IsReady(time.GetUtcNow()));
}
