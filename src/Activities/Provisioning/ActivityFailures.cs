using PlatformOps.Adapters;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>The one place where failures of adapters become failures of activities: retried, not retried, or retried after a while.</summary>
internal static class ActivityFailures
{
    public static async Task<T> MappedAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (AdapterException failure)
        {
            throw Of(failure);
        }
        catch (DependencyException failure)
        {
            throw new ApplicationFailureException($"{failure.Message} Correct dependsOn in the catalog, or enable what is missing.", FailureTypes.InvalidSpecification, nonRetryable: true);
        }
    }

    /// <param name="done">What had been done when it failed.</param>
    public static ApplicationFailureException Of(AdapterException failure, ComponentReport? done = null)
    {
        var (type, retried) = failure.Kind switch
        {
            AdapterFailureKind.Unavailable => (FailureTypes.Unavailable, true),
            AdapterFailureKind.Throttled => (FailureTypes.Throttled, true),
            // Trying again observes again: if the facts are others by then, that is said.
            AdapterFailureKind.Moved or AdapterFailureKind.Missing or AdapterFailureKind.Exists => (FailureTypes.FactsChanged, true),
            AdapterFailureKind.Unauthorized => (FailureTypes.Unauthorized, false),
            AdapterFailureKind.Forbidden => (FailureTypes.Forbidden, false),
            AdapterFailureKind.NotServed => (FailureTypes.NotServed, false),
            AdapterFailureKind.Conflict => (FailureTypes.Conflict, false),
            AdapterFailureKind.Rejected => (FailureTypes.Rejected, false),
            AdapterFailureKind.Damaged => (FailureTypes.Damaged, false),
            var kind => throw new InvalidOperationException($"No failure type for {kind}.", failure),
        };
        return new(failure.Message, type, nonRetryable: !retried, details: done is null ? null : [done], nextRetryDelay: failure.RetryAfter);
    }
}
