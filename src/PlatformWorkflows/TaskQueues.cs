namespace PlatformOps.Workflows;

/// <summary>The task queues of the product; part of the public contract.</summary>
public static class TaskQueues
{
    /// <summary>Where runbooks and their activities run.</summary>
    public const string Default = "platformops";
}
