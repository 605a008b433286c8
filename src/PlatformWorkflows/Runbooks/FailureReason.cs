using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>What an operator wants to read about a failure: what the system at fault said, without the layers that passed it on.</summary>
internal static class FailureReason
{
    public static string Of(Exception failure) => Find(failure)?.Message ?? failure switch
    {
        _ when Innermost(failure) is TimeoutFailureException timeout => $"No answer in time ({timeout.TimeoutType}): {timeout.Message}",
        _ => Innermost(failure).Message,
    };

    public static string? TypeOf(Exception failure) => Find(failure)?.ErrorType;

    /// <summary>The deepest failure that our own code threw.</summary>
    public static ApplicationFailureException? Find(Exception? failure)
    {
        ApplicationFailureException? found = null;
        for (; failure is not null; failure = failure.InnerException)
            found = failure as ApplicationFailureException ?? found;
        return found;
    }

    private static Exception Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner)
            failure = inner;
        return failure;
    }
}
