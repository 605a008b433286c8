namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>Takes every visible change of a run; list and count are answered from what it keeps.</summary>
internal interface IVisibilityStore
{
    /// <summary>Adds or replaces the record of a run. Called with the run's lock held: quick, and never back into the engine.</summary>
    void Put(ExecutionRecord record);

    /// <summary>Forgets a run that was deleted, or whose retention ended.</summary>
    void Remove(string namespaceId, string runId);
}
