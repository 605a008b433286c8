using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>The place outside both regions that keeps who may be writable. Every call is made once, with a short timeout.</summary>
public interface IWitness
{
    /// <summary>What it keeps; null only when it says that there is nothing yet.</summary>
    /// <exception cref="AdapterException">It did not answer: unknown, never "nothing".</exception>
    Task<WitnessEntry?> ReadAsync(CancellationToken ct);

    /// <summary>Replaces exactly the entry that was read.</summary>
    /// <param name="version">Of the entry that was read; null: there must be none yet.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Moved"/>: somebody else wrote first, and nothing was changed. <see cref="AdapterFailureKind.Unavailable"/>: it
    /// may have been written or not; read to know.</exception>
    Task<WitnessEntry> WriteAsync(WitnessRecord record, string? version, CancellationToken ct);
}

/// <summary>A record and the version that a change of it has to name.</summary>
/// <param name="Version">Opaque: an ETag, a resourceVersion.</param>
public sealed record WitnessEntry(WitnessRecord Record, string Version);
