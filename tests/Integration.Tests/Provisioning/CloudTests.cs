using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>Databases, buckets and DNS records that are declared in the catalog, through the activities.</summary>
public abstract class CloudTests(SandboxCluster cluster, TestAws aws)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Provisions_two_regions_and_a_second_run_changes_nothing()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        Assert.All(await platform.PlanAsync(), planned => Assert.Equal(PlannedAction.Create, planned.Action));

        var outcomes = await platform.ProvisionAsync();

        Assert.Equal(6, outcomes.Count);
        Assert.All(outcomes, outcome => Assert.Equal((ObjectResult.Created, "op-1"), (outcome.Result, outcome.OperationId)));
        Assert.Contains($"Database instance {platform.Database} is available and replicates arn:aws:rds:us-east-1:", platform.Health[1], StringComparison.Ordinal);
        Assert.Contains($"Bucket {platform.Bucket(CloudPlatform.Secondary)} is as declared", platform.Health[1], StringComparison.Ordinal);
        Assert.All(await platform.PlanAsync(), planned => Assert.Equal((PlannedAction.None, "As wanted."), (planned.Action, planned.Reason)));
        Assert.All(await platform.ProvisionAsync("op-2"), outcome => Assert.Equal((ObjectResult.Unchanged, "op-1"), (outcome.Result, outcome.OperationId)));

        using var here = aws.Connect(CloudPlatform.Primary);
        var database = await new DatabaseInstances(here).FindAsync(platform.Database, Ct);
        Assert.Equal((true, true, false, "op-1"), (database!.Encrypted, database.MultipleZones, database.PubliclyAccessible, database.Tags[Ownership.CreatedByAnnotation]));
        Assert.Equal(platform.Bucket(CloudPlatform.Secondary), (await new Buckets(here).FindAsync(platform.Bucket(CloudPlatform.Primary), Ct))!.Replication!.Bucket);
        Assert.Equal(["eu-west-1", "us-east-1"], (await RecordsAsync(platform)).Where(record => record.Type == "CNAME").Select(record => record.Set!).Order());
    }

    [Fact]
    public async Task A_name_in_the_cluster_leads_to_the_address_that_the_database_got()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        platform.Specify(service: true);

        // Both regions of this platform have one cluster, in which the other one's Service would be undeclared.
        var outcomes = await platform.ProvisionAsync(only: CloudPlatform.Primary);

        Assert.Equal(4, outcomes.Count);
        using var kubectl = new KubectlLike(cluster);
        using var there = aws.Connect();
        var database = await new DatabaseInstances(there).FindAsync(platform.Database, Ct);
        var service = await kubectl.GetAsync($"/api/v1/namespaces/default/services/{platform.Database}");
        Assert.Equal(database!.Address!.Split(':')[0], (string?)service!["spec"]!["externalName"]);
        Assert.All(
            (await platform.PlannedAsync()).Components.Single(component => component.Region == CloudPlatform.Primary).Objects,
            planned => Assert.Equal((PlannedAction.None, "As wanted."), (planned.Action, planned.Reason)));
    }

    [Fact]
    public async Task Changes_the_fields_that_differ_and_keeps_who_created_the_object()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        platform.Specify(instanceClass: "db.t3.large", oldVersionDays: 60, ttl: 30);
        Assert.Equal(
            ["spec.instanceClass db.t3.medium -> db.t3.large", "spec.lifecycle.noncurrentVersionExpirationDays 30 -> 60", "spec.ttl 60 -> 30"],
            (await platform.PlanAsync()).SelectMany(planned => planned.Changes).Select(change => $"{change.Path} {change.From} -> {change.To}").Order(StringComparer.Ordinal));

        var outcomes = await platform.ProvisionAsync("op-2", only: CloudPlatform.Primary);

        Assert.All(outcomes, outcome => Assert.Equal((ObjectResult.Changed, "op-2"), (outcome.Result, outcome.OperationId)));
        Assert.Equal(3, (await platform.PlanAsync()).Count(planned => planned.Action == PlannedAction.None));
        Assert.Equal(3, (await platform.ListAsync()).Count);
        Assert.Empty(await platform.ListAsync("op-2"));
    }

    [Fact]
    public async Task What_people_handed_over_is_changed_by_an_operation_that_does_not_become_its_creator()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        var name = platform.Bucket(CloudPlatform.Primary);
        using var here = aws.Connect(CloudPlatform.Primary);
        // People set the labels by hand; who created it is known of nobody.
        var known = (await new Buckets(here).FindAsync(name, Ct))!;
        var owner = new AwsOwner(known.Tags[Ownership.PlatformLabel], known.Tags[Ownership.EnvironmentLabel], known.Tags[Ownership.ComponentLabel]) { More = new Dictionary<string, string> { ["handed-over-by"] = "ada" } };
        await new Buckets(here).TagAsync(known with { Tags = known.Tags.Where(tag => tag.Key != Ownership.CreatedByAnnotation).ToDictionary() }, owner, null, Ct);
        platform.Specify(oldVersionDays: 60);

        await platform.ProvisionAsync("op-2", only: CloudPlatform.Primary);

        var bucket = (await new Buckets(here).FindAsync(name, Ct))!;
        Assert.Equal((60, "op-2", false), (bucket.OldVersionDays, bucket.Tags[Ownership.OperationIdAnnotation], bucket.Tags.ContainsKey(Ownership.CreatedByAnnotation)));
        // What an abort would remove.
        Assert.DoesNotContain(await platform.ListAsync("op-2"), address => address.Name == name);
    }

    [Fact]
    public async Task A_database_that_people_made_and_labelled_as_ours_is_changed_and_never_removed_by_the_rollback_of_the_change()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        using var here = aws.Connect(CloudPlatform.Primary);
        var databases = new DatabaseInstances(here);
        await databases.CreateAsync(
            new()
            {
                Identifier = platform.Database,
                Engine = "postgres",
                EngineVersion = "16.4",
                Class = "db.t3.small",
                StorageGigabytes = 20,
                MultipleZones = true,
                DeletionProtection = false,
                DatabaseName = "temporal",
                MasterUser = "platform",
            },
            "not-a-secret", platform.Owner, operationId: null!, Ct);
        aws.LetTimePass();
        Assert.False((await databases.FindAsync(platform.Database, Ct))!.Tags.ContainsKey(Ownership.CreatedByAnnotation));

        var outcomes = await platform.ProvisionAsync("op-2", only: CloudPlatform.Primary);

        Assert.Equal(ObjectResult.Changed, outcomes.Single(outcome => outcome.Address.Name == platform.Database).Result);
        var database = (await databases.FindAsync(platform.Database, Ct))!;
        Assert.Equal(("db.t3.medium", "op-2", false), (database.Class, database.Tags[Ownership.OperationIdAnnotation], database.Tags.ContainsKey(Ownership.CreatedByAnnotation)));
        await platform.RemoveAsync(CloudPlatform.Primary, "op-2");
        Assert.NotNull(await databases.FindAsync(platform.Database, Ct));
        Assert.Null(await new Buckets(here).FindAsync(platform.Bucket(CloudPlatform.Primary), Ct));
    }

    [Fact]
    public async Task An_upgrade_that_is_given_up_brings_every_field_back_and_is_no_creator()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        var before = await AtAwsAsync(platform);
        platform.SpecifyOtherwise(forGood: false);
        var plan = await platform.PlannedAsync();
        Assert.Equal(aws.RecordsGoBack ? 10 : 7, plan.Components.Single(step => step.Region == CloudPlatform.Primary).Objects.Sum(planned => planned.Changes.Count));
        var captured = await platform.CaptureAsync(plan, "op-up");
        await platform.ApplyAsync(plan, CloudPlatform.Primary, "op-up");
        Assert.NotEqual(before, await AtAwsAsync(platform));

        var returned = await platform.RestoreAsync(plan, captured, "op-up");
        aws.LetTimePass();

        Assert.Equal(aws.RecordsGoBack ? 3 : 2, returned.Objects.Count);
        Assert.Equal(before, await AtAwsAsync(platform));
        platform.Specify();
        Assert.All((await platform.PlanAsync()).Where(planned => planned.Address.Region == CloudPlatform.Primary), planned => Assert.Equal((PlannedAction.None, "As wanted."), (planned.Action, planned.Reason)));
        Assert.Equal((3, 0), ((await platform.ListAsync()).Count, (await platform.ListAsync("op-up")).Count));
    }

    [Fact]
    public async Task What_aws_takes_back_from_nobody_is_named_when_everything_else_is_back()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        var before = await AtAwsAsync(platform);
        platform.SpecifyOtherwise(forGood: true);
        var plan = await platform.PlannedAsync();
        var captured = await platform.CaptureAsync(plan, "op-up");
        await platform.ApplyAsync(plan, CloudPlatform.Primary, "op-up");

        var failure = await platform.FailsAsync(FailureTypes.Rejected, () => platform.RestoreAsync(plan, captured, "op-up"));
        aws.LetTimePass();

        Assert.Contains("spec.engineVersion is 16.6 and cannot become 16.4. RDS takes no version of an engine back.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("spec.allocatedStorage is 40 and cannot become 20.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("spec.objectLock.days is 2 and cannot become 1.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before.Select(line => line.Replace("16.4", "16.6", StringComparison.Ordinal).Replace("20 GiB", "40 GiB", StringComparison.Ordinal).Replace("locked 1", "locked 2", StringComparison.Ordinal)), await AtAwsAsync(platform));
    }

    [Fact]
    public async Task What_belongs_to_somebody_else_is_a_conflict_and_nothing_is_touched()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        using var here = aws.Connect(CloudPlatform.Primary);
        var (databases, zones) = (new DatabaseInstances(here), new HostedZones(here));
        await databases.CreateAsync(
            new() { Identifier = platform.Database, Engine = "postgres", Class = "db.t3.small", StorageGigabytes = 20, MasterUser = "them", DeletionProtection = false }, "correct-horse-battery", Names.Stranger, "op-0", Ct);
        await new Buckets(here).EnsureAsync(new() { Name = platform.Bucket(CloudPlatform.Primary) }, Names.Stranger, "op-0", Ct);
        var zone = (await zones.FindAsync(platform.Zone, Names.Stranger, Ct))!;
        await zones.UpsertAsync(
            zone, [new() { Name = $"api.{platform.Zone}", Type = "CNAME", Values = ["theirs.example.net"], TimeToLive = TimeSpan.FromMinutes(1), Set = CloudPlatform.Primary, Weight = 1 }], "op-0", Ct);

        var planned = (await platform.PlannedAsync()).Components.Single(component => component.Region == CloudPlatform.Primary).Objects;

        Assert.All(planned, item => Assert.Equal(PlannedAction.Conflict, item.Action));
        Assert.Equal(2, planned.Count(item => item.Reason.Contains("component orders-db of another/production", StringComparison.Ordinal)));
        Assert.Contains(planned, item => item.Address.Kind == "DnsRecord" && item.Reason.Contains("somebody who left no label", StringComparison.Ordinal));
        await platform.FailsAsync(FailureTypes.Conflict, async () => await platform.ApplyAsync(await platform.PlannedAsync(), CloudPlatform.Primary));
        Assert.Equal(["theirs.example.net"], (await RecordsAsync(platform)).Single(record => record.Type == "CNAME").Values);
    }

    [Fact]
    public async Task A_difference_that_the_cloud_cannot_make_is_refused_with_the_reason()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        platform.Specify(databaseName: "another");

        var planned = (await platform.PlanAsync()).Single(item => item.Action == PlannedAction.Conflict);

        Assert.Contains("spec.databaseName is temporal and cannot become another. RDS creates this database together with the instance only.", planned.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_that_is_no_longer_declared_is_pruned_with_its_mark_and_stores_are_kept()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync(only: CloudPlatform.Primary);
        platform.Specify(record: false);

        var outcomes = await platform.ProvisionAsync("op-2", only: CloudPlatform.Primary);

        Assert.Equal("DnsRecord", Assert.Single(outcomes, outcome => outcome.Result == ObjectResult.Pruned).Address.Kind);
        Assert.DoesNotContain(await RecordsAsync(platform), record => record.Type is "CNAME" or "TXT");
    }

    [Fact]
    public async Task What_is_left_in_the_cloud_of_a_component_that_was_switched_off_is_found_in_both_regions_and_stores_are_kept()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync();

        var retired = await platform.RetiredAsync();

        Assert.Equal(
            ["eu-west-1 Bucket", "eu-west-1 DatabaseInstance", "eu-west-1 DnsRecord", "us-east-1 Bucket", "us-east-1 DatabaseInstance", "us-east-1 DnsRecord"],
            retired.Select(planned => $"{planned.Address.Region} {planned.Address.Kind}").Order(StringComparer.Ordinal));
        Assert.All(retired, planned => Assert.Contains("but kept: ", planned.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_an_operation_created_is_removed_and_a_store_that_holds_something_is_kept()
    {
        await using var platform = await CloudPlatform.CreateAsync(cluster, aws);
        await platform.ProvisionAsync();
        using var there = aws.Connect(CloudPlatform.Secondary);
        var objects = new StoredObjects(there, platform.Bucket(CloudPlatform.Secondary));
        await objects.PutAsync("backup", "data"u8.ToArray(), Ct);

        var failure = await platform.FailsAsync(FailureTypes.NotRemoved, () => platform.RemoveAsync(CloudPlatform.Secondary));
        Assert.Contains($"Bucket {platform.Bucket(CloudPlatform.Secondary)} holds objects", failure.Message, StringComparison.Ordinal);

        aws.LetTimePass();
        await platform.RemoveAsync(CloudPlatform.Primary);
        Assert.DoesNotContain(await platform.ListAsync(), address => address.Region == CloudPlatform.Primary);
        Assert.DoesNotContain(await RecordsAsync(platform), record => record.Set == CloudPlatform.Primary);
    }

    /// <summary>What of the primary region can be changed, as AWS tells it.</summary>
    private async Task<IReadOnlyList<string>> AtAwsAsync(CloudPlatform platform)
    {
        using var here = aws.Connect(CloudPlatform.Primary);
        var database = (await new DatabaseInstances(here).FindAsync(platform.Database, Ct))!;
        var bucket = (await new Buckets(here).FindAsync(platform.Bucket(CloudPlatform.Primary), Ct))!;
        return
        [
            $"{database.EngineVersion} {database.Class} {database.StorageGigabytes} GiB {database.MultipleZones} {database.BackupDays}",
            $"{bucket.Encryption} {bucket.EncryptionKey} {bucket.ExpireDays} {bucket.OldVersionDays} locked {bucket.LockDays}",
            .. (await RecordsAsync(platform)).Where(record => record.Type == "CNAME").Select(record => $"{record.TimeToLive} {string.Join(' ', record.Values)} {record.Set} {record.Weight}"),
        ];
    }

    private async Task<IReadOnlyList<DnsRecord>> RecordsAsync(CloudPlatform platform)
    {
        using var connection = aws.Connect();
        var zones = new HostedZones(connection);
        return await zones.RecordsAsync((await zones.FindAsync(platform.Zone, Names.Stranger, Ct))!, Ct);
    }
}

public sealed class CloudTestsOnMoto(SandboxCluster cluster, MotoServer aws) : CloudTests(cluster, aws);

/// <summary>In an account of their own: of more buckets and zones than a few, not all are looked into, and its clock is moved by hours.</summary>
public sealed class CloudTestsOnTheSandbox(SandboxCluster cluster, SandboxAws aws) : CloudTests(cluster, aws), IClassFixture<SandboxAws>;
