using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>Reads, decides and swaps. Who lost reads again by being retried: then the record says who won.</summary>
internal sealed class WitnessClaims(IWitness witness)
{
    public async Task<ClaimedEpoch> ClaimAsync(ClaimOrder order, CancellationToken ct) => await SwapAsync(
        found => ClaimRules.Claim(found, order.To, order.OperationId, order.Epoch, order.StalledSequence, handedOver: order.Kind != FailoverKind.Failover), ct);

    public async Task<ClaimedEpoch> ClaimBackAsync(FailoverOrder order, CancellationToken ct) => await SwapAsync(
        found => ClaimRules.ClaimBack(found, order.From, order.OperationId, order.Epoch), ct);

    /// <summary>The guard of the replaced node said, after the claim, that it is fenced: nobody has to wait for its lease.</summary>
    public async Task EndReplacedAsync(FailoverOrder order, CancellationToken ct)
    {
        var found = await ReadAsync(ct);
        if (found.Record is { Lease: null, Replaced.Released: false } && found.Record.OperationId == order.OperationId)
            await witness.WriteAsync(found.Record.ReplacedFenced(), found.Version, ct);
    }

    private async Task<ClaimedEpoch> SwapAsync(Func<WitnessRecord, ClaimVerdict> decide, CancellationToken ct)
    {
        var found = await ReadAsync(ct);
        switch (decide(found.Record))
        {
            case ClaimVerdict.AlreadyDone done:
                return new(done.Epoch);
            case ClaimVerdict.Void nothing:
                return new(nothing.Epoch, nothing.Reason);
            case ClaimVerdict.Write { Record: var record }:
                await witness.WriteAsync(record, found.Version, ct);
                return new(record.Epoch);
            case var verdict:
                throw new InvalidOperationException($"No such verdict: {verdict}.");
        }
    }

    private async Task<WitnessEntry> ReadAsync(CancellationToken ct) => await witness.ReadAsync(ct)
        ?? throw new AdapterException(AdapterFailureKind.Rejected, "The witness keeps nothing: no node has ever been primary here. Start the guards first.");
}
