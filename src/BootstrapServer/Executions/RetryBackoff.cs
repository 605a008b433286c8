using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Whether, and after how long, an attempt that failed is tried again. The same rule for activities and workflows.</summary>
internal static class RetryBackoff
{
    /// <summary>The interval before the next attempt, or why there is none.</summary>
    /// <param name="expires">After this instant no attempt may start; null when there is no such instant.</param>
    public static (TimeSpan? Interval, RetryState State) Next(RetryPolicy policy, int attempt, DateTimeOffset now, DateTimeOffset? expires, Failure? failure)
    {
        if (!IsRetryable(failure, policy.NonRetryableErrorTypes))
            return (null, RetryState.NonRetryableFailure);
        if (policy.MaximumAttempts > 0 && attempt >= policy.MaximumAttempts)
            return (null, RetryState.MaximumAttemptsReached);
        var interval = failure?.ApplicationFailureInfo?.NextRetryDelay is { } asked
            ? asked.ToTimeSpan()
            : Interval(policy, attempt);
        if (expires is { } end && now + interval > end)
            return (null, RetryState.Timeout);
        return (interval, RetryState.InProgress);
    }

    /// <summary>Fills in what a policy leaves out, as the real server does.</summary>
    public static RetryPolicy WithDefaults(RetryPolicy? policy)
    {
        var filled = policy?.Clone() ?? new RetryPolicy();
        if (filled.InitialInterval is null || filled.InitialInterval.ToTimeSpan() == TimeSpan.Zero)
            filled.InitialInterval = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
        if (filled.BackoffCoefficient == 0)
            filled.BackoffCoefficient = 2;
        if (filled.MaximumInterval is null || filled.MaximumInterval.ToTimeSpan() == TimeSpan.Zero)
            filled.MaximumInterval = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(filled.InitialInterval.ToTimeSpan() * 100);
        return filled;
    }

    /// <summary>What is wrong with a policy, or null.</summary>
    public static string? Problem(RetryPolicy? policy)
    {
        if (policy is null || policy.MaximumAttempts == 1)
            return null; // never retried: the rest does not matter
        if (policy.InitialInterval?.ToTimeSpan() < TimeSpan.Zero)
            return "InitialInterval cannot be negative on retry policy.";
        if (policy.BackoffCoefficient is not 0 and < 1)
            return "BackoffCoefficient cannot be less than 1 on retry policy.";
        if (policy.MaximumInterval?.ToTimeSpan() < TimeSpan.Zero)
            return "MaximumInterval cannot be negative on retry policy.";
        if (policy.MaximumInterval is { } most && policy.InitialInterval is { } first && most.ToTimeSpan() > TimeSpan.Zero && most.ToTimeSpan() < first.ToTimeSpan())
            return "MaximumInterval cannot be less than InitialInterval on retry policy.";
        return policy.MaximumAttempts < 0 ? "MaximumAttempts cannot be negative on retry policy." : null;
    }

    /// <summary>How long to wait after so many attempts.</summary>
    public static TimeSpan Interval(RetryPolicy policy, int attempt)
    {
        var most = policy.MaximumInterval.ToTimeSpan();
        var seconds = policy.InitialInterval.ToTimeSpan().TotalSeconds * Math.Pow(policy.BackoffCoefficient, attempt - 1);
        return most > TimeSpan.Zero && seconds > most.TotalSeconds ? most : TimeSpan.FromSeconds(Math.Min(seconds, TimeSpan.FromDays(3650).TotalSeconds));
    }

    public static bool IsRetryable(Failure? failure, ICollection<string> nonRetryableTypes) => failure?.FailureInfoCase switch
    {
        null => true,
        Failure.FailureInfoOneofCase.TerminatedFailureInfo or Failure.FailureInfoOneofCase.CanceledFailureInfo => false,
        Failure.FailureInfoOneofCase.TimeoutFailureInfo =>
            failure.TimeoutFailureInfo.TimeoutType is TimeoutType.StartToClose or TimeoutType.Heartbeat
            && !nonRetryableTypes.Contains("TemporalTimeout:" + failure.TimeoutFailureInfo.TimeoutType),
        Failure.FailureInfoOneofCase.ServerFailureInfo => !failure.ServerFailureInfo.NonRetryable,
        Failure.FailureInfoOneofCase.ApplicationFailureInfo =>
            !failure.ApplicationFailureInfo.NonRetryable && !nonRetryableTypes.Contains(failure.ApplicationFailureInfo.Type),
        _ => true,
    };
}
