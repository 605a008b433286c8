namespace PlatformOps.Adapters;

/// <summary>An outside system did not do what it was asked. The message says what happened, to what, why and what to do next; it holds no secret.</summary>
public class AdapterException(AdapterFailureKind kind, string message, Exception? inner = null, TimeSpan? retryAfter = null)
    : Exception(message, inner)
{
    public AdapterFailureKind Kind => kind;

    /// <summary>How long the system asked us to wait, for <see cref="AdapterFailureKind.Throttled"/>.</summary>
    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>What an adapter's failure means to its caller.</summary>
public enum AdapterFailureKind
{
    /// <summary>Not reachable, timed out or in trouble: trying again may help.</summary>
    Unavailable,

    /// <summary>It asks us to slow down: trying again after <see cref="AdapterException.RetryAfter"/> helps.</summary>
    Throttled,

    /// <summary>The object moved between reading and writing: observing again and retrying helps.</summary>
    Moved,

    /// <summary>It does not know who we are.</summary>
    Unauthorized,

    /// <summary>It knows who we are and refuses.</summary>
    Forbidden,

    /// <summary>It does not serve this kind of object.</summary>
    NotServed,

    /// <summary>A field belongs to another field manager.</summary>
    Conflict,

    /// <summary>It does not exist. Adapters answer a question about it with null; this is for what was needed.</summary>
    Missing,

    /// <summary>It exists already, and cannot be seen yet: observing again helps.</summary>
    Exists,

    /// <summary>What we sent is wrong.</summary>
    Rejected,

    /// <summary>What lies there is not what was written: trying again does not help.</summary>
    Damaged,
}
