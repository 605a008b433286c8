namespace PlatformOps.BootstrapServer.Storage;

/// <summary>What the store keeps of a run that closed, so that lists and retention need not look at the run itself.</summary>
/// <param name="Record">What lists show, serialised.</param>
internal sealed record ClosedRun(long Key, RunName Name, ListKey Place, byte[] Record);
