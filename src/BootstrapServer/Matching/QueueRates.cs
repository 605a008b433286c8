using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// How fast one task queue gives tasks out. An operator's limit beats the one that workers send; of workers, the last that
/// polled. Each fairness key may have a limit of its own besides. Used under the queue's lock.
/// </summary>
internal sealed class QueueRates
{
    /// <summary>What "unlimited" is called.</summary>
    public const double Unlimited = 100_000;

    /// <summary>From so many keys on those that may go anyway are forgotten.</summary>
    private const int MostKeys = 1000;

    private TokenBucket whole;
    private Dictionary<string, TokenBucket>? keys;
    private double? byOperator;
    private double? byWorker;
    private double? perKey;

    public IReadOnlyDictionary<string, float>? Weights { get; private set; }

    public double PerSecond => Math.Min(byOperator ?? byWorker ?? Unlimited, Unlimited);

    public RateLimitSource Source => PerSecond >= Unlimited ? RateLimitSource.System : byOperator is not null ? RateLimitSource.Api : RateLimitSource.Worker;

    public bool IsLimited => PerSecond < Unlimited || perKey is not null;

    /// <summary>When the queue may give out a task.</summary>
    public DateTimeOffset Ready => PerSecond < Unlimited ? whole.Ready : DateTimeOffset.MinValue;

    public void Configure(TaskQueueConfig? config, DateTimeOffset now)
    {
        byOperator = config?.QueueRateLimit?.RateLimit?.RequestsPerSecond;
        perKey = config?.FairnessKeysRateLimitDefault?.RateLimit?.RequestsPerSecond;
        Weights = config?.FairnessWeightOverrides is { Count: > 0 } weights ? new Dictionary<string, float>(weights) : null;
        keys = null;
        Changed(now);
    }

    /// <summary>True when the limit that a poll brings is another than before.</summary>
    public bool SetByWorker(double? perSecond, DateTimeOffset now)
    {
        if (byWorker == perSecond)
            return false;
        byWorker = perSecond;
        Changed(now);
        return true;
    }

    /// <summary>When a task of this key may go, as far as the key is concerned.</summary>
    public DateTimeOffset ReadyOf(QueuedTask task)
    {
        if (perKey is null)
            return DateTimeOffset.MinValue;
        if (perKey <= 0)
            return DateTimeOffset.MaxValue;
        return keys is not null && keys.TryGetValue(task.FairnessKey, out var bucket) ? bucket.Ready : DateTimeOffset.MinValue;
    }

    /// <summary>Counts a task that goes out.</summary>
    public void Take(QueuedTask task, DateTimeOffset now)
    {
        whole.Take(PerSecond, now);
        if (perKey is not { } rate)
            return;
        keys ??= [];
        if (keys.Count >= MostKeys)
            keys = keys.Where(k => k.Value.Ready > now).ToDictionary();
        var weight = Weights is not null && Weights.TryGetValue(task.FairnessKey, out var given) ? given : task.FairnessWeight;
        var bucket = keys.GetValueOrDefault(task.FairnessKey);
        bucket.Take(rate * weight, now);
        keys[task.FairnessKey] = bucket;
    }

    /// <summary>What was taken last is not wanted any more, and did not count.</summary>
    public void GiveBack() => whole.GiveBack(PerSecond);

    private void Changed(DateTimeOffset now)
    {
        if (whole.Ready == DateTimeOffset.MaxValue)
            whole = default; // it stood still at rate 0
        whole.RateChanged(PerSecond, now);
    }
}
