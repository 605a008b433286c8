using PlatformOps.Platform.Failover;

namespace PlatformOps.Activities.Failover;

/// <summary>For how long the witness's lease has been the same, by this machine's monotonic clock.</summary>
internal sealed class LeaseSight(TimeProvider time)
{
    private (long Epoch, long Sequence)? met;
    private long metAt;

    /// <summary>Takes in what was just read.</summary>
    public LeaseReport See(WitnessRecord record)
    {
        var now = (record.Epoch, (record.Lease ?? record.Replaced)?.Sequence ?? 0);
        if (met != now)
            (met, metAt) = (now, time.GetTimestamp());
        return new(record.Epoch, record.Primary, record.Lease, record.Replaced, time.GetElapsedTime(metAt));
    }
}
