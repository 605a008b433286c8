using Microsoft.Extensions.Logging;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard.Configuration;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Guard.Leasing;

/// <summary>Speaks with the witness: renews the lease as long as the node may hold it, and looks at the record otherwise. One call at a time.</summary>
/// <param name="mayHold">Asked before each renewal, with the record that would be renewed; null: the witness has nothing.</param>
/// <param name="told">Told after everything that the witness answered.</param>
internal sealed class LeaseKeeper(
    IWitness witness, string node, LeaseSettings settings, TimeProvider clock, ILogger log, Func<WitnessRecord?, bool> mayHold, Action told) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private readonly SemaphoreSlim nudge = new(0, 1);
    private WitnessEntry? entry;
    private WitnessView? view;
    private (WitnessRecord Record, long Sent)? sent;
    private (long Sequence, long At)? seen;
    private string? trouble;

    public HeldLease Held { get; } = new(clock);

    /// <summary>What the witness said last; null: it has not answered yet.</summary>
    public WitnessView? View => Volatile.Read(ref view);

    /// <summary>Why the witness cannot be asked now; null when it can.</summary>
    public string? Trouble => Volatile.Read(ref trouble);

    /// <summary>Until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var started = clock.GetTimestamp();
            var every = await StepAsync(ct) ? settings.Renew : settings.Watch;
            var rest = every - clock.GetElapsedTime(started);
            if (rest > TimeSpan.Zero)
                await nudge.WaitAsync(rest, ct);
        }
    }

    /// <summary>Has the next step done now.</summary>
    public void Nudge()
    {
        if (nudge.CurrentCount == 0)
            nudge.Release();
    }

    /// <summary>How long this node knows the sequence of the lease in the record; zero when it knows none.</summary>
    public TimeSpan SeenFor(PrimaryLease lease) => seen is { } known && known.Sequence == lease.Sequence ? clock.GetElapsedTime(known.At) : TimeSpan.Zero;

    /// <summary>Reads the record now.</summary>
    /// <exception cref="AdapterException">The witness does not answer.</exception>
    public Task<WitnessRecord?> LookAsync(CancellationToken ct) => InTurnAsync(async () =>
    {
        await ReadAsync(ct);
        return entry?.Record;
    }, ct);

    /// <summary>Takes the lease of an epoch, whose predecessors are over for certain. True: held.</summary>
    /// <exception cref="AdapterException">The witness does not answer, or the epoch was lost meanwhile.</exception>
    public Task<bool> TakeAsync(CancellationToken ct) => InTurnAsync(async () => mayHold(entry?.Record) && await RenewAsync(ct), ct);

    /// <summary>Ends the lease here, and gives it back at the witness when it answers: then nobody has to wait for it.</summary>
    public async Task<bool> ReleaseAsync(CancellationToken ct)
    {
        Held.End();
        return await InTurnAsync(async () =>
        {
            // A renewal that was under way may have come through.
            Held.End();
            try
            {
                await ReadAsync(ct);
                if (entry is { Record: { Lease.Released: false } record } && record.Primary == node)
                    Keep(await witness.WriteAsync(record.Release(), entry.Version, ct));
                return true;
            }
            catch (AdapterException failure)
            {
                Complain(failure);
                return false;
            }
        }, ct);
    }

    public void Dispose()
    {
        turn.Dispose();
        nudge.Dispose();
    }

    /// <summary>True: the lease was meant to be renewed.</summary>
    private async Task<bool> StepAsync(CancellationToken ct)
    {
        var holds = false;
        try
        {
            await InTurnAsync(async () =>
            {
                holds = View is not null && mayHold(entry?.Record);
                if (holds)
                    await RenewAsync(ct);
                else
                    await ReadAsync(ct);
                return true;
            }, ct);
            trouble = null;
        }
        catch (AdapterException failure)
        {
            Complain(failure);
        }

        told();
        return holds;
    }

    private async Task<bool> RenewAsync(CancellationToken ct)
    {
        var record = (entry?.Record ?? new WitnessRecord(1, node, "guard-init", Lease: null, Replaced: null)).Renew(settings.Duration);
        var at = clock.GetTimestamp();
        sent = (record, at);
        try
        {
            var written = await witness.WriteAsync(record, entry?.Version, ct);
            // Whoever was fenced meanwhile does not get it back.
            if (mayHold(record))
                Held.Extend(at, settings.Duration);
            Keep(written);
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Moved or AdapterFailureKind.Unavailable)
        {
            if (failure.Kind == AdapterFailureKind.Unavailable)
                Complain(failure);
            // Perhaps it was written and we were not told: what is there now says so.
            await ReadAsync(ct);
        }

        return Held.Valid;
    }

    private async Task ReadAsync(CancellationToken ct)
    {
        var read = await witness.ReadAsync(ct);
        if (read is not null && sent is { } last && read.Record == last.Record && mayHold(read.Record))
            Held.Extend(last.Sent, settings.Duration);
        Keep(read);
    }

    private void Keep(WitnessEntry? read)
    {
        entry = read;
        Volatile.Write(ref view, new(read?.Record));
        if ((read?.Record.Lease ?? read?.Record.Replaced) is { } lease && seen?.Sequence != lease.Sequence)
            seen = (lease.Sequence, clock.GetTimestamp());
        if (read is not null && read.Record.Primary != node)
            Held.End();
    }

    private void Complain(AdapterException failure)
    {
        if (Interlocked.Exchange(ref trouble, failure.Message) is null)
            log.LogWarning("{Trouble}", failure.Message);
    }

    private async Task<T> InTurnAsync<T>(Func<Task<T>> act, CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            return await act();
        }
        finally
        {
            turn.Release();
        }
    }
}
