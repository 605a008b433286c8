using System.Text.Json;
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

    /// <summary>What an activity or child workflow said besides, as first detail of the failure that it ended with itself: failures below it come
    /// from others and carry theirs. Null when there is none or it is something else, for example from another version.</summary>
    public static T? DetailOf<T>(Exception failure)
        where T : class
    {
        var thrown = failure;
        while (thrown is not null and not ApplicationFailureException)
            thrown = thrown.InnerException;
        if (thrown is not ApplicationFailureException { Details.Count: > 0 } own)
            return null;
        try
        {
            return own.Details.ElementAt<T>(0);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The deepest failure that our own code threw.</summary>
    private static ApplicationFailureException? Find(Exception? failure)
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
