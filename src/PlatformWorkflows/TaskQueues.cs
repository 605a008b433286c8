namespace PlatformOps.Workflows;

/// <summary>The task queues of the product; part of the public contract.</summary>
public static class TaskQueues
{
    /// <summary>Where runbooks and their activities run.</summary>
    public const string Default = "platformops";

    /// <summary>Where failovers run, so that nothing else that waits can delay them. Workers in both regions poll it.</summary>
    public const string Failover = "platformops.failover";

    /// <summary>Where drills run whose copy is made by the worker: the one machine on which the copy may stand polls it.</summary>
    public const string Drill = "platformops.drill";

    /// <summary>Where the activities run that have to stand in one region.</summary>
    public static string Of(string region) => $"platform-ops.{region}";
}
