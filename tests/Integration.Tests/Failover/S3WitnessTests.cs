using System.Text;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Failover;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The witness in S3.</summary>
public abstract class S3WitnessTests(TestAws aws) : WitnessTests, IDisposable
{
    private AwsConnection? connection;

    [Fact]
    public async Task Something_else_in_its_place_is_not_nothing()
    {
        var (witness, objects, key) = await PlaceAsync();
        await objects.PutAsync(key, Encoding.UTF8.GetBytes("{\"epoch\": 0}"), Ct);

        var failure = await Assert.ThrowsAsync<AdapterException>(() => witness.ReadAsync(Ct));
        Assert.Equal(AdapterFailureKind.Rejected, failure.Kind);
        Assert.Contains(key, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bucket_that_does_not_exist_is_not_nothing_either()
    {
        using var other = aws.Connect();
        var witness = new S3Witness(other, Names.New("nowhere"), "production");

        Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<AdapterException>(() => witness.ReadAsync(Ct))).Kind);
        Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<AdapterException>(() => witness.WriteAsync(new(1, "a", "b", null, null), null, Ct))).Kind);
    }

    public void Dispose()
    {
        connection?.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override async Task<IWitness> NewAsync() => (await PlaceAsync()).Witness;

    /// <param name="other">Another server than that which all tests share.</param>
    protected async Task<(S3Witness Witness, StoredObjects Objects, string Key)> PlaceAsync(TestAws? other = null)
    {
        connection = (other ?? aws).Connect();
        var bucket = Names.New("witness");
        await new Buckets(connection).EnsureAsync(new() { Name = bucket }, Names.Owner, "op-1", Ct);
        return (new(connection, bucket, "failover/production"), new(connection, bucket), "failover/production");
    }
}

public sealed class S3WitnessOnMotoTests(MotoServer aws) : S3WitnessTests(aws);

public sealed class S3WitnessOnTheSandboxTests(SandboxAws aws) : S3WitnessTests(aws)
{
    [Fact]
    public async Task A_write_whose_answer_was_lost_is_unknown_and_reading_tells()
    {
        // Of its own: the fault would hit whatever call of another test comes first.
        await using var own = new SandboxAws();
        await own.InitializeAsync();
        var (witness, _, _) = await PlaceAsync(own);
        var first = new WitnessRecord(1, "us-east-1", "first", null, null);
        own.Inject(new() { Kind = FaultKind.CutAfterEffect, Path = "/s3/PUT object", Times = 1 });

        var failure = await Assert.ThrowsAsync<AdapterException>(() => witness.WriteAsync(first, version: null, Ct));
        Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
        Assert.Equal(first, (await witness.ReadAsync(Ct))!.Record);
    }
}
