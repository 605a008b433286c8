using Temporalio.Exceptions;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>The types of failures that runbooks and their activities answer with. Public contract: clients and workflows branch on these, never
/// on message text.</summary>
public static class FailureTypes
{
    /// <summary>The input is wrong; the message names the field.</summary>
    public const string InvalidInput = "InvalidInput";

    /// <summary>The specification or the catalog cannot be read or has problems.</summary>
    public const string InvalidSpecification = "InvalidSpecification";

    /// <summary>The specification or the catalog is another than the one that was planned with.</summary>
    public const string SpecificationChanged = "SpecificationChanged";

    /// <summary>The world is another than the one that was planned for.</summary>
    public const string FactsChanged = "FactsChanged";

    /// <summary>An object or a field belongs to somebody else.</summary>
    public const string Conflict = "Conflict";

    /// <summary>The outside system does not know who we are (an expired token, a missing certificate).</summary>
    public const string Unauthorized = "Unauthorized";

    /// <summary>The outside system knows who we are and refuses.</summary>
    public const string Forbidden = "Forbidden";

    /// <summary>The outside system says that what we sent is wrong.</summary>
    public const string Rejected = "Rejected";

    /// <summary>The outside system does not serve this kind of object.</summary>
    public const string NotServed = "NotServed";

    /// <summary>A quota does not leave room for what is planned.</summary>
    public const string QuotaExceeded = "QuotaExceeded";

    /// <summary>The outside system cannot be reached or is in trouble; retried.</summary>
    public const string Unavailable = "Unavailable";

    /// <summary>The outside system asks us to slow down; retried when it says so.</summary>
    public const string Throttled = "Throttled";

    /// <summary>A component cannot become healthy as it is.</summary>
    public const string Unhealthy = "Unhealthy";

    /// <summary>A backup set is not whole, or cannot be restored.</summary>
    public const string Damaged = "Damaged";

    /// <summary>What was to be removed is still there.</summary>
    public const string NotRemoved = "NotRemoved";

    /// <summary>The run was asked for something that it cannot do in its present phase.</summary>
    public const string NotPossible = "NotPossible";

    internal static ApplicationFailureException Invalid(string message) => new(message, InvalidInput, nonRetryable: true);

    internal static ApplicationFailureException Impossible(string message) => new(message, NotPossible, nonRetryable: true);
}
