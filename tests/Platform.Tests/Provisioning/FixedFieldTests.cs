using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Tests.Provisioning;

public class FixedFieldTests
{
    private static readonly JsonObject Database = new() { ["apiVersion"] = ResourceAddress.AwsApiVersion, ["kind"] = "DatabaseInstance" };
    private static readonly JsonObject Bucket = new() { ["apiVersion"] = ResourceAddress.AwsApiVersion, ["kind"] = "Bucket" };

    [Theory]
    [InlineData("spec.engine", "postgres", "mysql", "RDS cannot turn one engine into another")]
    [InlineData("spec.allocatedStorage", "100", "50", "Storage can grow and never shrink")]
    [InlineData("spec.engineVersion", "16.10", "16.9", "RDS takes no version of an engine back")]
    [InlineData("spec.replicaOf", "set", null, "stops being one by promotion")]
    [InlineData("spec.replicaOf.name", null, "orders", "becomes a replica when it is created")]
    public void What_a_database_cannot_become_is_refused_with_the_reason(string path, string? from, string? to, string reason) =>
        Assert.Contains(reason, FixedFields.Conflict(Database, [new("spec.multiAz", "false", "true"), new(path, from, to)]), StringComparison.Ordinal);

    [Fact]
    public void A_database_may_grow_and_be_upgraded() =>
        Assert.Null(FixedFields.Conflict(Database, [new("spec.allocatedStorage", "50", "100"), new("spec.engineVersion", "16.9", "16.10")]));

    [Fact]
    public void A_lock_may_be_made_longer_and_not_shorter()
    {
        Assert.Null(FixedFields.Conflict(Bucket, [new("spec.objectLock.days", "30", "60")]));
        Assert.NotNull(FixedFields.Conflict(Bucket, [new("spec.objectLock.days", "60", "30")]));
        Assert.NotNull(FixedFields.Conflict(Bucket, [new("spec.objectLock", "set", null)]));
    }
}
