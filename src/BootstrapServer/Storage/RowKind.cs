namespace PlatformOps.BootstrapServer.Storage;

/// <summary>What a row that belongs to a run describes. The numbers are in the file: never reuse one.</summary>
internal enum RowKind
{
    Activity = 1,
    Timer = 2,
    Child = 3,
    ExternalSignal = 4,
    ExternalCancel = 5,
    Update = 6,

    /// <summary>An event that waits for the workflow task in flight to end before it gets its place in history.</summary>
    BufferedEvent = 7,

    /// <summary>A request id that was acted on, so that a retry of the same call is not acted on again.</summary>
    RequestId = 8,

    /// <summary>Something a closed run still owes to another run: tell the parent, close a child.</summary>
    Outgoing = 9,

    /// <summary>Somebody who wants to be called when the workflow ends.</summary>
    Callback = 10,
}
