namespace PlatformOps.Platform.Failover;

/// <summary>What a claim does with the record that it finds at the witness. The swap that follows makes it true or void: what was read must still be there.</summary>
public static class ClaimRules
{
    /// <summary>A claim of the epoch after the one that was decided in.</summary>
    /// <param name="found">What the witness keeps.</param>
    /// <param name="stalled">The lease's sequence that had not been renewed when it was decided; null: the decision does not rest on that.</param>
    /// <param name="handedOver">The old primary was fenced with everything handed over: its lease must have been given back. One that was taken again since means that it writes again.</param>
    public static ClaimVerdict Claim(WitnessRecord found, string to, string operationId, long epoch, long? stalled, bool handedOver) => found switch
    {
        _ when found.OperationId == operationId => new ClaimVerdict.AlreadyDone(found.Epoch),
        _ when found.Epoch != epoch => new ClaimVerdict.Void(found.Epoch, $"The witness is in epoch {found.Epoch} of {found.Primary}, and this was decided in epoch {epoch}."),
        _ when stalled is { } sequence && found.Lease?.Sequence != sequence => new ClaimVerdict.Void(found.Epoch, $"{found.Primary} has renewed its lease since it was decided."),
        _ when handedOver && found.Lease is not { Released: true } => new ClaimVerdict.Void(found.Epoch, $"{found.Primary} has not given its lease back, or has taken it again."),
        // Whether the lease has to be waited out is for the record to say: a guard's word may be older than its lease.
        _ => new ClaimVerdict.Write(found.Claim(to, operationId, fenced: false)),
    };

    /// <summary>A claim of a further epoch for the old primary. One of this operation may still be on its way: a write that takes its version away stops it.</summary>
    /// <param name="operationId">The operation that is taken back.</param>
    public static ClaimVerdict ClaimBack(WitnessRecord found, string from, string operationId, long epoch) => found switch
    {
        _ when found.OperationId == Back(operationId) => new ClaimVerdict.AlreadyDone(found.Epoch),
        _ when found.OperationId == operationId || found.Epoch <= epoch => new ClaimVerdict.Write(found.Claim(from, Back(operationId), fenced: false)),
        _ => new ClaimVerdict.Void(found.Epoch, $"Epoch {found.Epoch} was claimed for {found.Primary} by {found.OperationId} meanwhile."),
    };

    private static string Back(string operationId) => $"{operationId}-back";
}

/// <summary>What becomes of a claim.</summary>
/// <param name="Epoch">The epoch that there is, or would be.</param>
public abstract record ClaimVerdict(long Epoch)
{
    /// <summary>This very operation has claimed before.</summary>
    public sealed record AlreadyDone(long Epoch) : ClaimVerdict(Epoch);

    /// <summary>Nothing may be claimed.</summary>
    public sealed record Void(long Epoch, string Reason) : ClaimVerdict(Epoch);

    /// <summary>The record to put in the place of what was found.</summary>
    public sealed record Write(WitnessRecord Record) : ClaimVerdict(Record.Epoch);
}
