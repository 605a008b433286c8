namespace PlatformOps.Platform.Failover;

/// <summary>The steps of a change of places.</summary>
public enum FailoverStep
{
    /// <summary>The node that is to become primary follows, has caught up, and commits wait for it. In a failback what only it has is exported first.</summary>
    Prepare,

    /// <summary>The witness names the new primary, in an epoch of its own.</summary>
    Claim,

    /// <summary>The old primary lets nobody through; when it does not answer its lease is waited out.</summary>
    Fence,

    /// <summary>The new primary takes its lease and opens. The point of no return.</summary>
    Promote,

    /// <summary>A write through the clients' path, in the new epoch, is acknowledged and read back.</summary>
    Verify,

    /// <summary>Service, Secret reference and DNS lead to the new primary.</summary>
    Repoint,

    /// <summary>The Temporal namespaces are active where the database is.</summary>
    Namespaces,

    /// <summary>The region that serves now has the capacity for it.</summary>
    Scale,

    /// <summary>A workflow that uses all of it ends well.</summary>
    Canary,

    /// <summary>The old primary follows the new one, after what only it has was exported.</summary>
    Rebuild,

    /// <summary>Everything that the next failover would need is there.</summary>
    Readiness,
}
