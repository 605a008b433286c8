using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>What every witness must do, whatever keeps it.</summary>
public abstract class WitnessTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static WitnessRecord First { get; } = new(1, "us-east-1", "first", Lease: null, Replaced: null);

    [Fact]
    public async Task Nothing_is_said_to_be_nothing_and_what_is_written_is_read()
    {
        var witness = await NewAsync();
        Assert.Null(await witness.ReadAsync(Ct));

        var written = await witness.WriteAsync(First, version: null, Ct);
        Assert.Equal(written, await witness.ReadAsync(Ct));

        var leased = await witness.WriteAsync(First.Renew(Second).Claim("us-west-2", "op-2", fenced: false), written.Version, Ct);
        Assert.Equal(leased, await witness.ReadAsync(Ct));
        Assert.Equal(new WitnessRecord(2, "us-west-2", "op-2", null, new PrimaryLease(1, Second, Released: false)), leased.Record);
    }

    [Fact]
    public async Task Of_eight_who_write_first_one_wins()
    {
        var witness = await NewAsync();
        await OneWinsAsync(witness, version: null);
    }

    [Fact]
    public async Task Of_eight_who_read_the_same_entry_one_wins()
    {
        var witness = await NewAsync();
        var read = await witness.WriteAsync(First, version: null, Ct);
        await OneWinsAsync(witness, read.Version);
    }

    [Fact]
    public async Task The_renewal_of_a_replaced_primary_fails()
    {
        var witness = await NewAsync();
        var held = await witness.WriteAsync(First.Renew(Second), version: null, Ct);
        await witness.WriteAsync(held.Record.Claim("us-west-2", "op-2", fenced: false), held.Version, Ct);

        var failure = await Assert.ThrowsAsync<AdapterException>(() => witness.WriteAsync(held.Record.Renew(Second), held.Version, Ct));
        Assert.Equal(AdapterFailureKind.Moved, failure.Kind);
        Assert.Equal("us-west-2", (await witness.ReadAsync(Ct))!.Record.Primary);
    }

    /// <summary>A place of its own that holds nothing.</summary>
    protected abstract Task<IWitness> NewAsync();

    private static async Task OneWinsAsync(IWitness witness, string? version)
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async number =>
        {
            try
            {
                return (await witness.WriteAsync(First.Claim($"region-{number}", $"op-{number}", fenced: false), version, Ct)).Record.OperationId;
            }
            catch (AdapterException failure)
            {
                Assert.Equal(AdapterFailureKind.Moved, failure.Kind);
                return null;
            }
        }));
        var winner = Assert.Single(outcomes, outcome => outcome is not null);
        Assert.Equal(winner, (await witness.ReadAsync(Ct))!.Record.OperationId);
    }
}
